"""Several operators and one Lease: one leads, and another takes over whatever becomes of it."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from support.apiclient import ApiClient
from support.controlplane import ControlPlane
from support.operator_process import LEASE_RULES, RULES, OperatorProcess
from support.processes import free_port
from support.relay import Relay
from support.resources import Resources
from support.waiting import wait_until

LEASE_SECONDS = 6
"""Within so many a killed leader is followed; what ends for want of it ends sooner than with the default."""

Make = Callable[..., OperatorProcess]


@pytest.fixture
def make_operator(own_control_plane: ControlPlane, shop: Resources, tmp_path: Path) -> Iterator[Make]:
    """An operator that contends for the namespace's Lease, with a kubeconfig of its own if one is given."""
    made: list[OperatorProcess] = []
    kubeconfig = own_control_plane.kubeconfig_for("headway-leader", (*RULES, *LEASE_RULES))

    def make(given: Path = kubeconfig, port: int = 0, lease: int = LEASE_SECONDS) -> OperatorProcess:
        settings = {
            "HEADWAY_LEASE_NAMESPACE": shop.namespace,
            "HEADWAY_LEASE_SECONDS": str(lease),
            "HEADWAY_RESYNC_SECONDS": "2",
            "HEADWAY_PORT": str(port or free_port()),
        }
        log = tmp_path / f"operator-{len(made)}.log"
        made.append(OperatorProcess(given, log, shop.namespace, settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()
        print(one.text() if one.log.exists() else "")


def lease(client: ApiClient, namespace: str) -> dict[str, object]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/headway-operator"
    spec: dict[str, object] = client.get(path)["spec"]
    return spec


def moment(written: object) -> datetime:
    """A time of the Lease: its holder's own, and all of them run on this machine."""
    return datetime.fromisoformat(str(written))


def time_of(operator: OperatorProcess, words: str) -> str:
    """When it wrote the line of its log with these words; such times sort as text."""
    line = next(line for line in operator.text().splitlines() if words in line)
    return line[: len("2026-01-31 12:00:00,000")]


def is_handled(shop: Resources, name: str) -> None:
    """Whoever leads refuses this resource in words of its own."""
    shop.create(name, {"main": "postgresql://nowhere"}, suspend=True)
    shop.wait_for_condition(name, "Reconciling", "True", "Suspended")


def answer(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        text: str = response.read().decode()
        return text


def is_ready(port: int) -> bool:
    """It has read the Lease, or holds it."""
    with suppress(urllib.error.HTTPError):
        return answer(port, "/readyz") == "ok\n"
    return False


def test_one_leads_and_the_standby_follows_at_once_when_it_stops(
    make_operator: Make, shop: Resources
) -> None:
    ports = free_port(), free_port()
    first = make_operator(port=ports[0]).start()
    second = make_operator(port=ports[1]).start("standing by")
    is_handled(shop, "one")
    wait_until(lambda: is_ready(ports[1]), what="the standby to be ready")
    assert answer(ports[0], "/livez") == "ok\n"
    assert "headway_leader 1.0" in answer(ports[0], "/metrics")
    assert "headway_leader 0.0" in answer(ports[1], "/metrics")
    assert first.stop() == 0
    second.wait_until_it_says("headway_operator: watching")
    is_handled(shop, "two")
    assert lease(shop.client, shop.namespace)["leaseTransitions"] == 1


def test_a_killed_leader_is_followed_and_not_before_its_lease_ends(
    make_operator: Make, shop: Resources
) -> None:
    first = make_operator().start()
    port = free_port()
    second = make_operator(port=port).start("standing by")
    wait_until(lambda: is_ready(port), what="the standby to have looked")
    first.kill()
    left = lease(shop.client, shop.namespace)
    second.wait_until_it_says("leading as")
    now = lease(shop.client, shop.namespace)
    assert now["holderIdentity"] != left["holderIdentity"]
    assert now["leaseTransitions"] == 1
    lasts = left["leaseDurationSeconds"]
    assert isinstance(lasts, int)
    waited = moment(now["acquireTime"]) - moment(left["renewTime"])
    assert waited >= timedelta(seconds=lasts)
    second.wait_until_it_says("headway_operator: watching")
    is_handled(shop, "after")


@pytest.mark.parametrize("fault", ["swallows", "refuses"])
def test_a_leader_that_cannot_reach_the_api_server_ends_before_another_leads(
    fault: str, make_operator: Make, own_control_plane: ControlPlane, shop: Resources, tmp_path: Path
) -> None:
    given = own_control_plane.kubeconfig_for("headway-leader", (*RULES, *LEASE_RULES))
    config = yaml.safe_load(given.read_text())
    server = urlsplit(config["clusters"][0]["cluster"]["server"])
    relay = Relay((str(server.hostname), int(server.port or 443)))
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    through = tmp_path / "through-the-relay"
    through.write_text(json.dumps(config))
    first = make_operator(through).start()
    second = make_operator().start("standing by")
    relay.swallow() if fault == "swallows" else relay.close()
    try:
        assert first.wait(LEASE_SECONDS + 15) == 1
        second.wait_until_it_says("leading as")
        given_up = time_of(first, "giving up: the Lease could not be renewed")
        assert given_up < time_of(second, "leading as")
    finally:
        relay.close()
    second.wait_until_it_says("headway_operator: watching")
    is_handled(shop, "after")
