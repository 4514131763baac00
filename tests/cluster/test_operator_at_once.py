"""Two people give commands to one resource in the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until


def test_one_approves_while_another_aborts_and_both_see_what_the_database_says(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, tmp_path: Path
) -> None:
    gate = Gate(tmp_path, "users").add_to(project)
    project.tables("orders")
    shop.create("shop", {"main": database.url()}, plan={"approval": "Required"})
    shop.wait_for_condition("shop", "Reconciling", reason="WaitingForApproval")
    digest = shop.get("shop")["status"]["plan"]["digest"]
    with ThreadPoolExecutor(2) as people:
        for done in (
            people.submit(shop.annotate, "shop", approve=digest),
            people.submit(shop.annotate, "shop", abort="stop"),
        ):
            done.result()

    def both_are_answered() -> bool:
        status = shop.get("shop")["status"]
        return (status.get("lastHandledAbort"), status.get("lastHandledApprove")) == ("stop", digest)

    wait_until(both_are_answered, what="both answers")
    gate.open()
    shop.wait_for_condition("shop", "Ready", "False", "Aborted")
    status = shop.get("shop")["status"]
    assert "orders" not in database.tables()
    reached = "users" if "users" in database.tables() else None
    assert status["databases"][0].get("currentRevision") == reached
