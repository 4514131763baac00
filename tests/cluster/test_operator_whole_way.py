"""From a resource to databases at head, with the real operator, runner, API server and PostgreSQL."""

from pathlib import Path

from support.fix_postgres import MakeDatabase
from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources, a_database
from support.waiting import wait_until


def test_three_databases_go_to_head_in_their_order(
    operator: OperatorProcess, shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    project.tables("users", "orders")
    databases = {name: make_database(name) for name in ("main", "analytics", "audit")}
    for name, database in databases.items():
        shop.secret(f"shop-{name}", uri=database.url())
    shop.create(
        "shop",
        [
            a_database("shop", "main"),
            a_database("shop", "analytics", dependsOn=["main"]),
            a_database("shop", "audit", dependsOn=["main", "analytics"]),
        ],
    )
    ready = shop.wait_for_condition("shop", "Ready")
    assert ready["reason"] == "Succeeded"
    for database in databases.values():
        assert {"users", "orders"} <= database.tables()
    jobs = [job["metadata"]["labels"]["headway.dev/database"] for job in shop.jobs()]
    assert jobs == ["main", "analytics", "audit"]
    starts = [shop.database("shop", name)["startTime"] for name in databases]
    assert starts == sorted(starts)
    assert not shop.get("shop")["metadata"].get("finalizers")
    assert "Succeeded" in shop.event_reasons()


def test_what_a_runner_tells_is_in_the_status_while_it_works(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, tmp_path: Path
) -> None:
    project.tables("users")
    gate = Gate(tmp_path, "orders").add_to(project.tables())
    shop.create("shop", {"main": database.url()})
    gate.wait_until_reached()
    told = wait_until(
        lambda: (
            "revision 2 of 2, orders" in (found := shop.database("shop", "main")).get("message", "") and found
        ),
        what="the second of two revisions in the status",
    )
    assert told["revisionsDone"] == 1
    assert told["currentRevision"] == "users"
    status = shop.get("shop")["status"]
    assert status["progress"]["summary"] == "0/1 · 50%"
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert shop.get("shop")["status"]["progress"]["summary"] == "1/1 · 100%"
    assert operator.is_running()


def test_a_change_of_how_it_runs_starts_nothing(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()})
    shop.wait_for_condition("shop", "Ready")
    shop.change("shop", activeDeadlineSeconds=600, successfulRunsHistoryLimit=1)
    shop.wait_for_condition("shop", "Ready")
    assert len(shop.jobs()) == 1
    shop.change("shop", revision="2")
    shop.wait_for_condition("shop", "Ready", reason="NothingToDo")
    run = shop.get("shop")["status"]["run"]["id"]
    of_this_run = [job for job in shop.jobs() if job["metadata"]["labels"]["headway.dev/run"] == run]
    assert of_this_run == [], "the plan found nothing to do"
    assert operator.is_running()
