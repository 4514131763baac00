"""The lint of a run's plan, on the real API server with a table of a real size."""

from __future__ import annotations

import pytest

from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources


@pytest.fixture
def users(project: Project, database: Database) -> Database:
    """A table that is large enough for a lock on it to matter, and a revision that holds it up."""
    project.revision("required", upgrade="op.alter_column('users', 'name', nullable=False)")
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    database.execute("INSERT INTO users SELECT n, 'a' FROM generate_series(1, 20000) n")
    database.execute("ANALYZE users")
    return database


def is_required(database: Database) -> bool:
    asked = "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'name'"
    return bool(database.scalar(asked))


def test_enforce_holds_what_would_stop_the_application_until_the_rule_is_ignored(
    operator: OperatorProcess, shop: Resources, users: Database
) -> None:
    shop.create("shop", {"main": users.url()}, lint={"mode": "Enforce"})
    stalled = shop.wait_for_condition("shop", "Stalled", "True", "LintFailed")
    assert stalled["message"].startswith("1 finding of severity Error. ")
    assert "main: required (" in stalled["message"]
    assert (
        "All, each with its safe form: headway plan shop; one of each rule: status.plan.findings."
        in stalled["message"]
    )
    assert shop.wait_for_event("LintFailed")["note"] == stalled["message"]
    assert "LintFindings" not in shop.event_reasons()
    assert shop.jobs() == []
    assert not is_required(users)
    (finding,) = shop.get("shop")["status"]["plan"]["findings"]
    shop.change("shop", lint={"mode": "Enforce", "ignore": [finding["rule"]]})
    shop.wait_for_condition("shop", "Ready")
    assert is_required(users)


def test_left_out_it_warns_and_goes_on(operator: OperatorProcess, shop: Resources, users: Database) -> None:
    shop.create("shop", {"main": users.url()})
    shop.wait_for_condition("shop", "Ready")
    assert is_required(users)
    assert shop.get("shop")["status"]["plan"]["warnings"] == 1


def test_enforce_holds_a_drop_under_a_trigger_that_an_applied_revision_left(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    database.execute("CREATE TABLE books (id int PRIMARY KEY, pages int)")
    fills = """headway.add_column_with_backfill("books", sa.Column("shelf", sa.Text), "'S' || pages")"""
    project.revision("filled", f"import headway\n{fills}")
    shop.create("shop", {"main": database.url()}, lint={"mode": "Enforce"})
    shop.wait_for_condition("shop", "Ready")
    project.revision("dropped", "op.drop_column('books', 'pages')")
    shop.change("shop", revision="2")
    stalled = shop.wait_for_condition("shop", "Stalled", "True", "LintFailed")
    assert (
        "the trigger that fills books.shelf, which an applied revision has left, reads it"
        in stalled["message"]
    )
    assert database.scalar("SELECT count(pages) FROM books") == 0
