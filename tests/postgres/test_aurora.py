"""A server that keeps its WAL and its control file to itself is a server like others."""

from __future__ import annotations

import psycopg
import pytest

from headway import backfill
from headway_contract.events import RevisionApplied
from headway_contract.result import Outcome
from support.aurora import like_aurora
from support.postgres import Database
from support.projects import Project
from support.revisions import Told, run
from support.runner import migrate


@pytest.fixture
def aurora(database: Database) -> Database:
    """As it is set by default."""
    return like_aurora(database)


def test_it_refuses_as_aurora_does(aurora: Database) -> None:
    for question in (
        "pg_current_wal_lsn()",
        "pg_current_wal_insert_lsn()",
        "system_identifier FROM pg_control_system()",
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            aurora.scalar(f"SELECT {question}")


def test_a_backfill_fills_every_row_and_its_record_has_no_wal(aurora: Database) -> None:
    aurora.execute(
        "CREATE TABLE users (id int PRIMARY KEY, n int); INSERT INTO users SELECT generate_series(1, 5000); "
        "ANALYZE users"
    )
    told = Told()
    run(aurora.url(), lambda: backfill("users", {"n": "id"}, where="n IS NULL"), told)
    assert aurora.scalar("SELECT count(*) FROM users WHERE n = id") == 5000
    (record,) = (facts for kind, facts in told.facts if kind == "BackfillFinished")
    assert record["wal_bytes"] is None
    assert record["rows"] == 5000
    assert told.notices() == []


def test_a_run_goes_to_head_and_is_verified(aurora: Database, project: Project) -> None:
    project.tables("users", "orders")
    for applied in (2, 0):
        run = migrate(project, aurora.url())
        assert run.result.outcome is Outcome.SUCCEEDED, run.stderr
        assert len(run.of(RevisionApplied)) == applied
    assert aurora.tables() == {"alembic_version", "users", "orders"}
