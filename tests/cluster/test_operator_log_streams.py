"""The connections to the API server are cut while runs go on: what runners tell is heard to the end, and once."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.processes import free_port
from support.projects import Project
from support.relay import Relay
from support.resources import Resources
from support.waiting import wait_until

TELLS = """
with op.get_bind().engine.connect() as other:
    other.execute(sa.text("CREATE TABLE {table} (id int)"))
"""
"""A revision of which the runner tells that what it did on this connection was rolled back."""


class Connected:
    """An operator that reaches the API server through a relay, and what its metrics say."""

    def __init__(self, kubeconfig: Path, folder: Path, namespace: str) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        server = urlsplit(config["clusters"][0]["cluster"]["server"])
        self.relay = Relay((str(server.hostname), int(server.port or 443)))
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self.relay.port}"
        through = folder / "through-the-relay"
        through.write_text(json.dumps(config))
        self._metrics = f"http://127.0.0.1:{(port := free_port())}/metrics"
        settings = {"HEADWAY_PORT": str(port)}
        self.operator = OperatorProcess(through, folder / "operator.log", namespace, settings)

    def counted(self, name: str, labels: str = "") -> float:
        """The sum of what a counter counts, of those with these labels."""
        with urllib.request.urlopen(self._metrics, timeout=5) as answer:
            text = answer.read().decode()
        return sum(float(one) for one in re.findall(rf"^{name}(?:\{{.*{labels}.*\}})? (\S+)$", text, re.M))


@pytest.fixture
def connected(shop: Resources, operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Connected]:
    """Its log is shown when the test fails."""
    made = Connected(operator_kubeconfig, tmp_path, shop.namespace)
    try:
        made.operator.start()
        yield made
        made.operator.stop()
    finally:
        made.operator.kill()
        made.relay.close()
        print(made.operator.text())


def notes_of(shop: Resources, table: str) -> list[str]:
    """The notices that name this table."""
    return [one["note"] for one in shop.events("Notice") if f"CREATE TABLE {table}" in one["note"]]


def test_what_is_told_after_a_cut_arrives_while_the_run_goes_on_and_what_was_told_before_is_counted_once(
    connected: Connected, shop: Resources, project: Project, database: Database, tmp_path: Path
) -> None:
    project.revision("first", TELLS.format(table="early"))
    before = Gate(tmp_path, "before").add_to(project)
    project.revision("third", TELLS.format(table="late"))
    behind = Gate(tmp_path, "behind").add_to(project)

    shop.create("shop", {"main": database.url()})
    before.wait_until_reached()
    wait_until(lambda: notes_of(shop, "early"), what="the notice of the first revision")
    # Of another resource, and the last that its runner tells until the lock is free: the reopened log begins with it.
    shop.create("beside", {"main": database.url()})
    contended = "headway_migration_lock_contended_total"
    wait_until(lambda: connected.counted(contended) == 1, what="a second run to find the lock held")

    connected.relay.cut()
    wait_until(
        lambda: connected.counted("headway_log_reconnects_total", 'reason="Broke"') >= 2,
        what="both logs to be reopened",
    )
    before.open()
    behind.wait_until_reached()
    wait_until(lambda: notes_of(shop, "late"), what="the notice of the third revision")
    wait_until(
        lambda: shop.database("shop", "main").get("message", "").startswith("revision 4 of 4, behind"),
        what="the fourth revision in the status",
    )
    assert connected.counted(contended) == 1
    behind.open()
    for name in ("shop", "beside"):
        shop.wait_for_condition(name, "Ready")
    assert connected.counted(contended) == 1
    assert [len(notes_of(shop, table)) for table in ("early", "late")] == [1, 1]
    assert shop.database("shop", "main")["revisionsDone"] == 4
    assert connected.operator.is_running()
