"""SQLite, as small applications and tests use it: a file, no server, a lock beside it."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path

import pytest

from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import migrate, plan


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.db"


def tables(file):
    connection = sqlite3.connect(file)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


def test_a_sqlite_file_is_planned_and_goes_to_head(tmp_path, file):
    project = from_template(tmp_path / "project").tables("a1", "a2")
    planned = plan(project, {"main": f"sqlite:///{file}"})
    assert [one.revision for one in planned.result.plan.databases[0].pending] == ["a1", "a2"]
    assert tables(file) == set()
    run = migrate(project, f"sqlite:///{file}")
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert tables(file) == {"alembic_version", "a1", "a2"}


def test_a_sqlite_file_is_held_to_its_plan_under_the_lock(tmp_path, file):
    project = from_template(tmp_path / "project").tables("a1")
    url = f"sqlite:///{file}"
    expected = plan(project, {"main": url}).result.plan.databases[0].planned
    project.tables("a2")
    refused = migrate(project, url, planned=expected)
    assert refused.result.failure.name == "PlanChanged"
    assert tables(file) == set()
    (project.folder / project.scripts / "versions" / "a2.py").unlink()
    run = migrate(project, url, planned=expected)
    assert run.exit_code == 0, run.stderr
    assert run.kinds()[:3] == ["RunStarted", "DatabaseReached", "LockAcquired"]
    assert tables(file) == {"alembic_version", "a1"}


def test_the_users_code_has_its_garbage_collected(tmp_path, file):
    project = from_template(tmp_path / "project")
    project.revision(
        "a1", "import gc; op.create_table(f'collects_{gc.isenabled()}', sa.Column('id', sa.Integer))"
    )
    run = migrate(project, f"sqlite:///{file}")
    assert run.exit_code == 0, run.stderr
    assert "collects_True" in tables(file)


def test_a_failure_after_a_table_was_made_says_that_it_stayed(tmp_path, file):
    project = from_template(tmp_path / "project")
    project.revision("a1", "op.execute('CREATE TABLE stays (id int)'); op.execute('SELECT * FROM missing')")
    run = migrate(project, f"sqlite:///{file}")
    assert run.result.failure.name == "PartiallyApplied"
    assert "stays" in tables(file)


def test_two_runs_on_one_file_wait_for_each_other(tmp_path, file):
    project = from_template(tmp_path / "project").tables("a1")
    with Path(f"{file}.headway-lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        run = migrate(project, f"sqlite:///{file}", options={"lock_give_up_seconds": 1})
    assert run.exit_code == ExitCode.BUSY
    assert run.result.failure.name == "LockHeld"
    assert tables(file) == set()


def test_another_file_than_the_requested_one_is_not_touched(tmp_path, file):
    other = tmp_path / "other.db"
    project = from_template(tmp_path / "project").tables("a1")
    change = f"config.set_main_option('sqlalchemy.url', 'sqlite:///{other}')\n\n\n"
    function = "def run_migrations_online"
    project.env.write_text(project.env.read_text().replace(function, change + function))
    run = migrate(project, f"sqlite:///{file}")
    assert run.result.failure.name == "WrongDatabase"
    assert tables(other) == tables(file) == set()


def test_a_column_is_changed_by_way_of_a_copied_table(tmp_path, file):
    """What render_as_batch writes: SQLite itself cannot alter a column."""
    project = from_template(tmp_path / "project").tables("a1")
    project.revision(
        "a2",
        """
        with op.batch_alter_table("a1") as batch:
            batch.add_column(sa.Column("name", sa.String(20), nullable=False, server_default="x"))
            batch.alter_column("id", type_=sa.BigInteger())
        """,
    )
    project.env.write_text(
        project.env.read_text().replace(
            "connection=connection,", "connection=connection, render_as_batch=True,"
        )
    )
    run = migrate(project, f"sqlite:///{file}")
    assert run.exit_code == 0, run.stderr
    connection = sqlite3.connect(file)
    columns = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_info(a1)")}
    connection.close()
    assert columns == {"id": "BIGINT", "name": "VARCHAR(20)"}
    assert tables(file) == {"alembic_version", "a1"}


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.stdout.close()",
        "import sys; sys.stdout = sys.stderr = type('Log', (), {'write': lambda *_: None})()",
    ],
    ids=["closed", "replaced"],
)
def test_an_application_may_close_or_replace_its_streams(tmp_path, file, code):
    project = from_template(tmp_path / "project").tables("a1")
    project.env.write_text(f"{project.env.read_text()}\n{code}\n")
    run = migrate(project, f"sqlite:///{file}")
    assert run.exit_code == 0, run.stderr
    assert (run.result.applied, run.kinds().count("Verified")) == (("a1",), 1)
    assert "Traceback" not in run.stderr


MAKES_AND_FAILS = """
    op.execute("INSERT INTO a1 VALUES (1)")
    op.create_table("a2", sa.Column("id", sa.Integer))
    op.execute("INSERT INTO missing VALUES (1)")
"""
BEGINS_ITSELF = """
    from alembic import context
    from sqlalchemy import create_engine, event

    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection, record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN")

    with engine.connect() as connection:
        context.configure(connection=connection, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
"""


@pytest.mark.parametrize("env", ["", BEGINS_ITSELF], ids=["the driver begins", "env.py begins"])
def test_a_table_that_is_made_in_an_open_transaction_is_rolled_back_and_not_told_as_left(tmp_path, file, env):
    project = from_template(tmp_path / "project").tables("a1").revision("a2", MAKES_AND_FAILS)
    if env:
        project.write_env(env)
    run = migrate(project, f"sqlite:///{file}")
    assert run.result.failure.name == "RevisionFailed"
    assert "still there" not in run.result.failure.message
    assert tables(file) == {"alembic_version", "a1"}
