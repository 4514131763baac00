"""Faults in the middle of a run: the end is right, no attempt has two Jobs, no database is left without a word."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from support.apiclient import ApiError
from support.controlplane import ControlPlane
from support.fix_postgres import MakeDatabase
from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.process_kubelet.kubelet import ProcessKubelet
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until

AWAY_SECONDS = 30
"""How long the API server is away: longer than any single pause of the operator's queue in its first minute."""


@pytest.fixture
def gate(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The second of three revisions, which waits in its middle."""
    project.tables("users")
    gate = Gate(tmp_path_factory.mktemp("gate"), "orders").add_to(project)
    project.tables("invoices")
    yield gate
    gate.open()


def running_job(shop: Resources) -> str:
    """The name of the only Job that migrates."""
    (job,) = shop.jobs()
    return str(job["metadata"]["name"])


def wait_until_told_to_stop(shop: Resources) -> None:
    """Until the runner of that Job says that it knows: then it stops at its next safe point."""
    wait_until_told(shop, "Stopping", "the runner to be told to stop")


def wait_until_told(shop: Resources, event: str, what: str) -> None:
    """Until the runner of the only Job that migrates has told such an event."""
    log = f"{shop.core}/pods/{shop.pod_of(running_job(shop))['metadata']['name']}/log"

    def is_told() -> bool:
        with suppress(ApiError):
            return f'"kind":"{event}"' in shop.client.text(log)
        return False

    wait_until(is_told, what=what)


@pytest.mark.usefixtures("operator")
def test_a_job_deleted_by_hand_is_looked_into_and_made_again(
    shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    name = running_job(shop)
    shop.client.delete(f"{shop.batch}/{name}", {"propagationPolicy": "Background"})
    wait_until(lambda: name not in [job["metadata"]["name"] for job in shop.jobs()], what="the Job to go")
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert {"users", "orders", "invoices"} <= database.tables()
    assert shop.attempts("main") == ["2"]
    assert "JobDisappeared" in shop.event_reasons()


@pytest.mark.usefixtures("operator")
def test_an_evicted_pod_is_replaced_under_the_same_attempt(
    shop: Resources, gate: Gate, database: Database, kubelet: ProcessKubelet
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    name = running_job(shop)
    pod = shop.pod_of(name)["metadata"]["name"]
    kubelet.evict(shop.namespace, pod)
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert {"users", "orders", "invoices"} <= database.tables()
    assert shop.attempts("main") == ["1"]


@pytest.mark.usefixtures("operator")
def test_no_job_is_started_beside_a_pod_on_a_lost_node_until_somebody_answers_for_it(
    shop: Resources, gate: Gate, database: Database, kubelet: ProcessKubelet
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    name = running_job(shop)
    pod = shop.pod_of(name)["metadata"]["name"]
    kubelet.lose(shop.namespace, pod)
    shop.client.delete(f"{shop.batch}/{name}", {"propagationPolicy": "Background"})
    told = shop.wait_for_condition("shop", "Reconciling", "True", "PodLeftBehind")
    assert f"The pod is {pod} on node {kubelet.name}." in told["message"]
    assert "kubectl delete pod" in told["message"]
    assert shop.jobs() == []
    shop.client.delete(f"{shop.core}/pods/{pod}", {"gracePeriodSeconds": 0})
    wait_until(lambda: shop.attempts("main") == ["2"], 60, "the next attempt")
    # What was given up for lost goes on, and holds the database's lock.
    wait_until_told(shop, "LockAwaited", "the second guard")
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert {"users", "orders", "invoices"} <= database.tables()


def test_a_resource_deleted_during_a_revision_goes_after_that_revision(
    operator: OperatorProcess, shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    shop.delete("shop")
    wait_until_told_to_stop(shop)
    assert shop.exists("shop"), "it must stay while its Job works"
    gate.open()
    wait_until(lambda: not shop.exists("shop"), what="the resource to go")
    assert database.scalar("SELECT version_num FROM alembic_version") == "orders"
    assert database.tables() == {"alembic_version", "users", "orders"}
    assert operator.is_running()


@pytest.mark.usefixtures("operator")
def test_a_specification_changed_during_a_revision_starts_after_that_revision(
    shop: Resources, gate: Gate, database: Database
) -> None:
    first = shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    shop.change("shop", revision="2", target="invoices")
    shop.wait_for_condition("shop", "Reconciling", "True", "Stopping")
    wait_until_told_to_stop(shop)
    assert len(shop.jobs()) == 1
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    status = shop.get("shop")["status"]
    assert status["run"]["generation"] > first["metadata"]["generation"]
    assert [entry["result"] for entry in status["history"]] == ["Succeeded", "Superseded"]
    assert shop.database("shop", "main")["revisionsTotal"] == 1, "the first run went no further than its gate"
    assert {"users", "orders", "invoices"} <= database.tables()


@pytest.mark.usefixtures("operator")
def test_a_status_emptied_by_hand_comes_back_without_another_job(
    shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    shop.client.patch(f"{shop.migrations}/shop/status", {"status": None})
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert shop.attempts("main") == ["1"]
    shop.client.patch(f"{shop.migrations}/shop/status", {"status": None})
    shop.wait_for_condition("shop", "Ready")
    assert shop.attempts("main") == ["1"]
    assert len(shop.jobs("Plan")) == 1


@pytest.mark.usefixtures("operator")
def test_a_suspended_resource_stops_after_the_revision_and_goes_on_later(
    shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    shop.change("shop", suspend=True)
    shop.wait_for_condition("shop", "Reconciling", "True", "Suspended")
    wait_until_told_to_stop(shop)
    gate.open()
    wait_until(lambda: not shop.get("shop")["metadata"].get("finalizers"), what="the Job to end")
    assert database.scalar("SELECT version_num FROM alembic_version") == "orders"
    shop.change("shop", suspend=False)
    shop.wait_for_condition("shop", "Ready")
    assert "invoices" in database.tables()


KILLED_WHEN = ("created", "planning", "in a revision", "between two databases", "at the end")


@pytest.mark.parametrize("moment", KILLED_WHEN)
def test_an_operator_killed_at_any_point_goes_on_where_it_was(
    moment: str,
    operator: OperatorProcess,
    shop: Resources,
    gate: Gate,
    make_database: MakeDatabase,
) -> None:
    databases = {name: make_database(name) for name in ("main", "audit")}
    if moment not in ("in a revision", "between two databases"):
        gate.open()
    shop.create("shop", {name: database.url() for name, database in databases.items()})
    if moment == "planning":
        wait_until(lambda: shop.jobs("Plan"), what="the plan's Job")
    elif moment == "in a revision":
        gate.wait_until_reached()
    elif moment == "between two databases":
        gate.wait_until_reached()
        gate.open()
        shop.wait_for_database("shop", "main", "Succeeded")
    elif moment == "at the end":
        shop.wait_for_database("shop", "audit", "Succeeded")
    operator.kill()
    gate.open()
    operator.start()
    shop.wait_for_condition("shop", "Ready")
    for name, database in databases.items():
        assert {"users", "orders", "invoices"} <= database.tables()
        assert shop.attempts(name) == ["1"]
    assert len(shop.jobs("Plan")) == 1
    assert not shop.get("shop")["metadata"].get("finalizers")


def test_a_job_that_ends_while_the_operator_is_away_is_not_run_again(
    operator: OperatorProcess, shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    job = running_job(shop)
    operator.kill()
    gate.open()
    wait_until(lambda: shop.client.get(f"{shop.batch}/{job}")["status"].get("succeeded"), what="its end")
    operator.start()
    shop.wait_for_condition("shop", "Ready")
    assert shop.attempts("main") == ["1"]


def test_an_api_server_that_is_away_for_half_a_minute_is_waited_for(
    operator: OperatorProcess,
    own_control_plane: ControlPlane,
    shop: Resources,
    gate: Gate,
    database: Database,
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    own_control_plane.stop_api_server()
    gate.open()
    wait_until(lambda: "invoices" in database.tables(), what="the runner to end without an API server")
    refused_until = time.monotonic() + AWAY_SECONDS
    wait_until(lambda: time.monotonic() > refused_until, AWAY_SECONDS + 5, "the outage to last long enough")
    own_control_plane.start_api_server()
    shop.wait_for_condition("shop", "Ready", timeout=120)
    assert operator.is_running()
    assert shop.attempts("main") == ["1"]


def test_sigterm_ends_the_operator_and_leaves_the_jobs(
    operator: OperatorProcess, shop: Resources, gate: Gate, database: Database
) -> None:
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    assert operator.stop() == 0
    gate.open()
    operator.start()
    shop.wait_for_condition("shop", "Ready")
    assert shop.attempts("main") == ["1"]
