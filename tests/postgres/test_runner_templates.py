"""Alembic's own templates, as `alembic init` makes them, go to head."""

from __future__ import annotations

import pytest

from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import migrate, only_events, plan


@pytest.mark.parametrize(
    ("template", "driver"),
    [
        ("generic", "psycopg"),
        ("generic", "psycopg2"),
        ("generic", ""),
        ("async", "asyncpg"),
        ("async", "psycopg"),
        ("async", ""),
        ("pyproject", "psycopg"),
        ("pyproject_async", "asyncpg"),
    ],
)
def test_a_stock_project_goes_to_head(tmp_path, database, template, driver):
    project = from_template(tmp_path, template).tables("a1", "a2")
    run = migrate(project, database.url(driver))
    assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
    assert run.result.outcome is Outcome.SUCCEEDED
    assert run.result.applied == ("a1", "a2")
    assert run.result.to_revision == ("a2",)
    assert database.tables() == {"alembic_version", "a1", "a2"}
    assert run.kinds() == [
        "RunStarted", "DatabaseReached", "Planned", "LockAcquired", "Planned",
        "RevisionStarted", "RevisionApplied", "RevisionStarted", "RevisionApplied", "Verified",
    ]  # fmt: skip
    assert only_events(run.stdout)


def test_a_plan_changes_nothing(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2")
    run = plan(project, {"main": database.url()})
    assert run.exit_code == 0, run.stderr
    (planned,) = run.result.plan.databases
    assert [one.revision for one in planned.pending] == ["a1", "a2"]
    assert planned.target == ("a2",)
    assert all(len(one.file_sha256) == 64 for one in planned.pending)
    assert database.tables() == set()


def test_a_second_run_finds_nothing_to_do(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    migrate(project, database.url())
    run = migrate(project, database.url())
    assert run.exit_code == 0
    assert run.result.applied == ()
    assert run.result.to_revision == ("a1",)
    assert "LockAcquired" not in run.kinds()
