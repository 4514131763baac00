"""Revisions that are taken back: shown, approved by a person although approvals are automatic, done, and ready."""

from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources

BACK_TO_USERS = {"target": "users", "whenAhead": "Downgrade"}


def test_revisions_are_taken_back_once_somebody_has_approved_just_that(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users", "orders", "invoices")
    shop.create("shop", {"main": database.url()})
    shop.wait_for_condition("shop", "Ready")
    up = shop.get("shop")["status"]["plan"]["digest"]
    (went_up,) = shop.jobs()

    shop.change("shop", **BACK_TO_USERS, plan={"mode": "Never"})
    shop.annotate("shop", approve=up)
    shop.wait_for_condition("shop", "Reconciling", "True", "WaitingForApproval")
    asked = shop.condition("shop", "Approved")
    assert (asked["status"], asked["reason"]) == ("False", "WaitingForApproval")
    assert "2 revisions wait for approval (main: 2)" in asked["message"]
    assert "taking revisions back always needs one (main)" in asked["message"]
    assert f"The approval that was given is for {up}, which is another plan" in asked["message"]
    plan = shop.get("shop")["status"]["plan"]
    assert f"headway.dev/approve={plan['digest']} --overwrite" in asked["message"], (
        "the command to type, whole"
    )
    assert [job["metadata"]["name"] for job in shop.jobs()] == [went_up["metadata"]["name"]]
    assert database.tables() == {"alembic_version", "users", "orders", "invoices"}, (
        "nothing is changed before it"
    )

    shop.annotate("shop", approve=plan["digest"])
    ready = shop.wait_for_condition("shop", "Ready")
    assert ready["reason"] == "Succeeded"
    assert database.tables() == {"alembic_version", "users"}
    assert database.rows("SELECT version_num FROM alembic_version") == [("users",)]
    told = shop.database("shop", "main")
    assert (told["phase"], told["currentRevision"], told["message"]) == (
        "Succeeded",
        "users",
        "2 revisions taken back",
    )
    assert len(shop.jobs()) == 2

    shop.change("shop", revision="again")
    shop.wait_for_condition("shop", "Ready", reason="NothingToDo")
    assert len(shop.jobs()) == 2, "it is at its target, so nothing is asked"

    shop.change("shop", target="heads", whenAhead="Accept")
    shop.wait_for_condition("shop", "Ready", reason="Succeeded")
    assert database.tables() == {"alembic_version", "users", "orders", "invoices"}, (
        "and up again, with no approval"
    )


def test_a_revision_that_cannot_be_taken_back_ends_the_run_with_what_stays(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    project.revision(
        "orders", "op.execute('CREATE TABLE orders ()')", "raise NotImplementedError('rows are gone')"
    )
    project.tables("invoices")
    shop.create("shop", {"main": database.url()})
    shop.wait_for_condition("shop", "Ready")
    shop.change("shop", **BACK_TO_USERS)
    shop.wait_for_condition("shop", "Reconciling", "True", "WaitingForApproval")
    shop.annotate("shop", approve=shop.get("shop")["status"]["plan"]["digest"])
    ready = shop.wait_for_condition("shop", "Ready", "False")
    assert ready["reason"] == "RevisionFailed"
    assert "orders" in ready["message"]
    assert "rows are gone" in ready["message"]
    assert database.tables() == {"alembic_version", "users", "orders"}
    assert database.rows("SELECT version_num FROM alembic_version") == [("orders",)]
