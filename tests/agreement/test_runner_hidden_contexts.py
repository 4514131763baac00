"""An env.py that hides what one of its migration contexts raises: whatever a later look sees, that is no success."""

from __future__ import annotations

import sqlite3

import pytest

from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import migrate, plan

CONTEXTS = """
    import os
    from alembic import context
    from sqlalchemy import create_engine, text

    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))

    def one(connection, table):
        context.configure(connection=connection, version_table=table)
        with context.begin_transaction():
            context.run_migrations(table=table)
"""
REMEMBERS = """
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS broken (name text)"))
        connection.commit()
        broken = {name for (name,) in connection.execute(text("SELECT name FROM broken"))}
        connection.commit()
        for table in ("v_x", "v_y"):
            if table in broken:
                continue
            try:
                one(connection, table)
            except Exception:
                connection.rollback()
                connection.execute(text("INSERT INTO broken VALUES (:name)"), {"name": table})
                connection.commit()
"""
GOES_ON = """
    with engine.connect() as connection:
        for table in ("v_x", "v_y"):
            try:
                one(connection, table)
            except Exception:
                connection.rollback()
"""
TRIES_AGAIN = """
    with engine.connect() as connection:
        for number in ("first", "second"):
            try:
                one(connection, "v_x")
            except Exception:
                connection.rollback()
                open("tried", "w").close()
"""
ONLY_WHAT_LACKS_SOMETHING = """
    with engine.connect() as connection:
        one(connection, "v_x")
        connection.execute(text("CREATE TABLE IF NOT EXISTS v_y (version_num text)"))
        heads = [head for (head,) in connection.execute(text("SELECT version_num FROM v_y"))]
        connection.commit()
        if "a1" not in heads:
            one(connection, "v_y")
"""
FAILS_IN_X = """
def upgrade(table):
    op.create_table("of_" + table, sa.Column("id", sa.Integer))
    if table == "v_x":
        raise ValueError("x has bad data")
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.db"


A_TABLE = "def upgrade(table): op.create_table('of_' + table, sa.Column('id', sa.Integer))"


def project_of(folder, env, functions=A_TABLE):
    return from_template(folder / "project").revision("a1", functions=functions).write_env(CONTEXTS + env)


def at_a1(file):
    connection = sqlite3.connect(file)
    found = [
        table
        for table in ("v_x", "v_y")
        if connection.execute("SELECT name FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        and connection.execute(f"SELECT * FROM {table}").fetchall() == [("a1",)]
    ]
    connection.close()
    return found


def malformed(file, table):
    connection = sqlite3.connect(file)
    connection.execute(f"CREATE TABLE {table} (something_else text)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("env", [REMEMBERS, GOES_ON], ids=["skips it the next time", "goes on"])
def test_a_context_that_env_py_gives_up_is_a_failure_with_its_reason(tmp_path, file, env):
    run = migrate(project_of(tmp_path, env, FAILS_IN_X), f"sqlite:///{file}")
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert run.result.failure.name in ("Swallowed", "PartiallyApplied")
    assert "x has bad data (version table v_x" in run.result.failure.message
    assert at_a1(file) == ["v_y"]


def test_a_context_that_never_came_to_a_revision_is_a_failure_when_the_others_are_migrated(tmp_path, file):
    malformed(file, "v_x")
    project, url = project_of(tmp_path, GOES_ON), f"sqlite:///{file}"
    planned = plan(project, {"main": url}).result.plan.databases[0]
    assert "env.py hides what a migration context raises" in planned.notices[0]
    assert "no such column: v_x.version_num" in planned.notices[0]
    run = migrate(project, url)
    assert (run.exit_code, run.result.failure.name) == (ExitCode.MIGRATION_FAILED, "Swallowed")
    assert "no such column: v_x.version_num" in run.result.failure.message
    assert "(version table v_x)" in run.result.failure.message
    assert at_a1(file) == ["v_y"]
    # Nothing is pending any more where env.py comes to, and that is no success either.
    again = migrate(project, url)
    assert (again.result.outcome, again.result.failure.name) == (Outcome.FAILED, "Swallowed")
    assert "(version table v_x)" in again.result.failure.message


def test_a_context_that_env_py_remembers_to_leave_out_is_a_failure_all_the_same(tmp_path, file):
    malformed(file, "v_x")
    project, url = project_of(tmp_path, REMEMBERS), f"sqlite:///{file}"
    run = migrate(project, url)
    assert (run.exit_code, run.result.failure.name) == (ExitCode.MIGRATION_FAILED, "Swallowed")
    assert "no such column: v_x.version_num" in run.result.failure.message
    assert at_a1(file) == ["v_y"]


def test_a_context_that_env_py_tries_again_itself_is_judged_by_its_last_try(tmp_path, file):
    functions = """
        import os
        def upgrade(table):
            if not os.path.exists("tried"):
                raise ValueError("busy")
            op.create_table("of_" + table, sa.Column("id", sa.Integer))
    """
    run = migrate(project_of(tmp_path, TRIES_AGAIN, functions), f"sqlite:///{file}")
    assert run.exit_code == 0, run.stderr
    assert at_a1(file) == ["v_x"]


def test_a_context_that_no_look_comes_to_again_is_not_confirmed(tmp_path, file):
    run = migrate(project_of(tmp_path, ONLY_WHAT_LACKS_SOMETHING), f"sqlite:///{file}")
    assert (run.exit_code, run.result.failure.name) == (ExitCode.MIGRATION_FAILED, "NotPersisted")
    assert "came to 1 of 2 migration contexts, not to version table v_y" in run.result.failure.message
