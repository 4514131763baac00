"""Input of a size that nobody plans for: a history of thousands of revisions, and revisions of a megabyte."""

from __future__ import annotations

import json

import pytest

from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Body, Resources

COUNT = 2_000
TOLD = 50
"""Of the pending revisions of a database in its status."""
TERMINATION_MESSAGE = 4_096
STATUS = 200_000
"""Bytes: of the 1.5 MB that etcd takes of one resource."""
SECONDS = 150
LOCKS = "index_is_created_without_concurrently"


def name_of(number: int) -> str:
    return f"r{number:04}"


@pytest.fixture
def users(database: Database) -> Database:
    """A table that is large enough for a lock on it to matter, and one for what was done."""
    database.execute("CREATE TABLE users (name text)")
    database.execute("INSERT INTO users SELECT 'a' FROM generate_series(1, 20000)")
    database.execute("ANALYZE users")
    database.execute("CREATE TABLE done (number int)")
    return database


@pytest.fixture
def long_history(project: Project) -> Project:
    """Each revision leaves its mark in the database; the last of each hundred locks a table up."""
    for number in range(1, COUNT + 1):
        locks = f"op.create_index('i{number}', 'users', ['name'])" if number % 100 == 0 else ""
        project.revision(name_of(number), f"op.execute('INSERT INTO done VALUES ({number})')\n{locks}")
    return project


def termination_message(shop: Resources, job: Body) -> str:
    (container,) = shop.pod_of(job["metadata"]["name"])["status"]["containerStatuses"]
    message: str = container["state"]["terminated"]["message"]
    return message


@pytest.mark.timeout(2 * SECONDS)
def test_two_thousand_pending_revisions_are_planned_told_linted_and_run_and_none_is_lost(
    operator: OperatorProcess, shop: Resources, long_history: Project, users: Database
) -> None:
    shop.create("shop", {"main": users.url()}, plan={"approval": "Required"})
    shop.wait_for_condition("shop", "Reconciling", reason="WaitingForApproval", timeout=SECONDS)
    planned = shop.get("shop")
    status = planned["status"]
    assert (status["plan"]["revisions"], status["plan"]["reviewed"]) == (COUNT, True)
    found = {one["rule"]: one["count"] for one in status["plan"]["findings"]}
    assert found[LOCKS] == COUNT // 100
    main = status["databases"][0]
    assert [one["revision"] for one in main["pending"]] == [name_of(one) for one in range(1, TOLD + 1)]
    assert (main["pendingCount"], main["targetRevision"]) == (COUNT, name_of(COUNT))
    assert len(json.dumps(planned)) < STATUS
    assert f"{COUNT} revisions wait for approval" in shop.condition("shop", "Ready")["message"]
    (plan_job,) = shop.jobs("Plan")
    assert len(termination_message(shop, plan_job).encode()) <= TERMINATION_MESSAGE
    assert users.tables() == {"users", "done"}

    shop.annotate("shop", approve=status["plan"]["digest"])
    shop.wait_for_condition("shop", "Ready", timeout=SECONDS)
    ended = shop.get("shop")
    main = ended["status"]["databases"][0]
    assert (main["revisionsDone"], main["revisionsTotal"]) == (COUNT, COUNT)
    assert main["currentRevision"] == name_of(COUNT)
    assert len(json.dumps(ended)) < STATUS
    (job,) = shop.jobs()
    message = termination_message(shop, job)
    assert len(message.encode()) <= TERMINATION_MESSAGE
    assert json.loads(message)["appliedCount"] == COUNT
    applied = "SELECT string_agg(number::text, ' ' ORDER BY number) FROM done"
    assert users.scalar(applied) == " ".join(map(str, range(1, COUNT + 1))), "each once"


def test_a_megabyte_of_sql_and_sql_that_nobody_can_read_are_run_and_the_rest_is_judged(
    operator: OperatorProcess, shop: Resources, project: Project, users: Database
) -> None:
    rows = ", ".join(f"({number})" for number in range(130_000))
    (project.folder / "big.sql").write_text(f"INSERT INTO done VALUES {rows}")
    project.revision("big", "op.execute(open('big.sql').read())")
    project.revision("index", "op.create_index('i', 'users', ['name'])")
    project.revision("wrong", "op.execute('SELEC 1')")
    shop.create("shop", {"main": users.url()})
    failed = shop.wait_for_condition("shop", "Ready", "False", "RevisionFailed")
    assert "wrong" in failed["message"]
    assert "SELEC" in failed["message"]
    plan = shop.get("shop")["status"]["plan"]
    found = {one["rule"]: one["count"] for one in plan["findings"]}
    assert (plan["reviewed"], found) == (True, {LOCKS: 1, "statement_cannot_be_read": 1})
    assert shop.database("shop", "main")["currentRevision"] == "index"
    assert users.scalar("SELECT count(*) FROM done") == 130_000
