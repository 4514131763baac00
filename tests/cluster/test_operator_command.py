"""An application's own command under the real operator: planned in one Job, run in another, told in the status."""

from __future__ import annotations

from support.commands import ENV, admin
from support.fix_postgres import MakeDatabase
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources, a_database


def test_a_command_takes_two_databases_to_head_in_their_order(
    operator: OperatorProcess, shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    interpreter, program = admin(project.write_env(ENV).tables("users", "orders"))
    databases = {name: make_database(name) for name in ("main", "audit")}
    for name, database in databases.items():
        shop.secret(f"shop-{name}", uri=database.url())
    shop.create(
        "shop",
        [a_database("shop", name, urlEnv="DATABASE_URL") for name in databases],
        command=[interpreter, program],
    )
    assert shop.wait_for_condition("shop", "Ready")["reason"] == "Succeeded"
    for name, database in databases.items():
        assert database.tables() == {"alembic_version", "users", "orders"}
        assert shop.database("shop", name)["currentRevision"] == "orders"
    assert [job["metadata"]["labels"]["headway.dev/database"] for job in shop.jobs()] == ["main", "audit"]
    shop.change("shop", command=[interpreter, program, "again"])
    shop.wait_for_condition("shop", "Ready", reason="NothingToDo")


def test_a_command_that_is_not_in_the_image_is_told_with_what_to_do(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()}, command=["shop-admin", "migrate"])
    told = shop.wait_for_condition("shop", "Ready", "False")
    assert told["reason"] == "CommandNotFound"
    assert "shop-admin cannot be started" in told["message"]
    assert database.tables() == set()
