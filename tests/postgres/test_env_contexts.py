"""An env.py that configures a context for each tenant: all of them count, and each is told by its schema."""

from __future__ import annotations

import pytest

from headway_contract.events import Notice
from headway_contract.exit_codes import ExitCode
from headway_contract.request import Mode
from support.plain import plain_alembic
from support.projects import from_template
from support.runner import database_request, migrate, request_for, run_runner

TENANTS = {"TENANTS": "t1,t2,t3"}
FAILS_IN_T2 = """
if op.get_bind().exec_driver_sql("SELECT current_schema()").scalar() == "t2":
    op.execute("SELECT 1/0")
op.execute("CREATE TABLE second ()")
"""


def tenants(folder, second="op.execute('CREATE TABLE second ()')"):
    project = from_template(folder).revision("a1", "op.execute('CREATE TABLE first ()')")
    return project.revision("a2", second).use_env("schemas_that_go_on")


def versions(database):
    schemas = [
        name for (name,) in database.rows("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t[0-9]'")
    ]
    return {
        schema: [version for (version,) in database.rows(f"SELECT version_num FROM {schema}.alembic_version")]
        for schema in sorted(schemas)
    }


def test_every_schema_is_migrated_also_when_env_py_hides_that_it_could_not_write(tmp_path, database):
    """It creates the schemas itself, which a look that may not write refuses."""
    project = tenants(tmp_path)
    look = request_for(database_request(), mode=Mode.PLAN)
    planned = run_runner(project, look, {"main": database.url()}, **TENANTS).result.plan.databases[0]
    assert [one.revision for one in planned.pending] == ["a1", "a2"]
    assert "env.py writes to the database" in planned.notices[0]
    run = migrate(project, database.url(), TENANTS, planned=planned.planned)
    assert run.exit_code == 0, run.stderr
    assert versions(database) == {name: ["a2"] for name in ("t1", "t2", "t3")}
    assert database.scalar("SELECT count(*) FROM pg_tables WHERE tablename = 'second'") == 3


@pytest.mark.parametrize("env_py", ["goes on and ends well", "goes on and sums up"])
def test_the_failure_of_one_schema_is_told_with_its_name_and_reason(tmp_path, make_database, env_py):
    strict = {"STRICT": "1"} if env_py == "goes on and sums up" else {}
    project = tenants(tmp_path, FAILS_IN_T2)
    ours = make_database("runner")
    if not strict:
        assert plain_alembic(project, make_database("plain").url(), **TENANTS).returncode == 0
    run = migrate(project, ours.url(), {**TENANTS, **strict})
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert run.result.failure.name == ("RevisionFailed" if strict else "Swallowed")
    said = run.result.failure.message
    assert said.startswith("Revision a2 (revision a2) failed: division by zero (schema t2, a2.py, line ")
    assert run.result.failure.revision == "a2"
    assert versions(ours) == {"t1": ["a2"], "t2": ["a1"], "t3": ["a2"]}


def test_a_schema_that_only_the_run_leaves_out_is_missed_by_name(tmp_path, database):
    """Its own retry list, kept in a file: env.py skips the second tenant once, in the pass that migrates."""
    project = tenants(tmp_path)
    skip = tmp_path / "skip"
    left_out = (
        "    if tenant == 't2' and os.path.exists('skip'):\n        os.remove('skip')\n        continue\n"
    )
    project.env.write_text(project.env.read_text().replace("    try:\n", f"{left_out}    try:\n"))
    assert migrate(project, database.url(), {"TENANTS": "t1,t2"}, target="a1").exit_code == 0
    project.revision("a3", f"import pathlib; pathlib.Path({str(skip)!r}).touch()")
    run = migrate(project, database.url(), {"TENANTS": "t1,t2"})
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert run.result.failure.name == "NotPersisted"
    assert "does not have a2 (revision a2), a3 (revision a3) in schema t2." in run.result.failure.message
    assert versions(database) == {"t1": ["a3"], "t2": ["a1"]}


@pytest.mark.parametrize("strict", [{}, {"STRICT": "1"}], ids=["hides failures", "tells failures"])
def test_a_schema_that_is_ahead_of_the_image_does_not_keep_the_others_back(tmp_path, database, strict):
    project = tenants(tmp_path)
    assert migrate(project, database.url(), {"TENANTS": "t1"}).exit_code == 0
    database.execute("UPDATE t1.alembic_version SET version_num = 'ffff'")
    run = migrate(project, database.url(), {"TENANTS": "t1,t2", **strict})
    assert run.exit_code == 0, run.stderr
    assert versions(database) == {"t1": ["ffff"], "t2": ["a2"]}
    assert any("at ffff, which this project does not contain" in one.message for one in run.of(Notice))


def test_a_schema_that_is_past_the_target_does_not_keep_the_others_back(tmp_path, database):
    project = tenants(tmp_path)
    assert migrate(project, database.url(), {"TENANTS": "t1"}).exit_code == 0
    run = migrate(project, database.url(), {"TENANTS": "t1,t2"}, target="a1")
    assert run.exit_code == 0, run.stderr
    assert versions(database) == {"t1": ["a2"], "t2": ["a1"]}


TWO_TABLES = """
    from alembic import context
    from sqlalchemy import create_engine, text

    with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
        connection.execute(text("SET search_path TO app"))
        connection.commit()
        for table in ("v_t1", "v_t2"):
            try:
                context.configure(connection=connection, version_table=table)
                with context.begin_transaction():
                    context.run_migrations(table=table)
            except Exception:
                connection.rollback()
"""
FAILS_IN_V_T1 = """
def upgrade(table):
    with op.get_context().autocommit_block():
        op.execute(f"CREATE TABLE of_{table} ()")
    if table == "v_t1":
        op.execute("SELECT 1/0")
"""


def test_two_version_tables_in_one_schema_are_told_apart(tmp_path, database):
    """What the first has left of a revision stays, although the second one has ended the same revision."""
    database.execute("CREATE SCHEMA app")
    project = from_template(tmp_path).revision("a1", functions=FAILS_IN_V_T1).write_env(TWO_TABLES)
    run = migrate(project, database.url())
    assert run.exit_code == ExitCode.MIGRATION_FAILED, run.stderr
    assert run.result.failure.name == "PartiallyApplied"
    assert "division by zero (schema app, version table v_t1, a1.py" in run.result.failure.message
    assert "CREATE TABLE of_v_t1" in run.result.failure.message
    assert database.rows("SELECT version_num FROM app.v_t2") == [("a1",)]
