"""Ways to end well with nothing done: plain Alembic exits 0 in each of them, and the runner says what is missing."""

from __future__ import annotations

import pytest

from headway_cli.embedded import EmbeddedPostgres
from headway_contract.events import Notice
from headway_contract.exit_codes import ExitCode
from headway_contract.planned import Planned
from headway_contract.request import Mode
from headway_contract.result import Outcome
from support.plain import plain_alembic
from support.postgres import PostgresServer
from support.projects import Project, from_template
from support.runner import database_request, migrate, request_for, run_runner

ROLLED_BACK = "a transaction that env.py had begun before context.configure(), and it was never committed"
NOTHING_DONE = {
    "a search path is set first": (
        "statement_before_configure",
        {"FIRST_STATEMENT": "SET search_path = public"},
        "NotPersisted",
        ROLLED_BACK,
    ),
    "a lock of its own is taken first": (
        "statement_before_configure",
        {"FIRST_STATEMENT": "SELECT pg_advisory_xact_lock(1)"},
        "NotPersisted",
        ROLLED_BACK,
    ),
    "a schema is created first": (
        "statement_before_configure",
        {"FIRST_STATEMENT": "CREATE SCHEMA IF NOT EXISTS app"},
        "NotPersisted",
        ROLLED_BACK,
    ),
    "an exit before the one transaction is committed": (
        "one_transaction_then_exit",
        {},
        "NotPersisted",
        "does not have a1",
    ),
    "an exit before a context": (
        "exits",
        {"WHERE": "before:sys.exit"},
        "NeverConfigured",
        "without calling context.configure()",
    ),
    "an exit with a context": (
        "exits",
        {"WHERE": "configured:sys.exit"},
        "NeverConfigured",
        "but not context.run_migrations()",
    ),
    "the process ends itself before a context": (
        "exits",
        {"WHERE": "before:os._exit"},
        "ProjectFailed",
        "ended the process with exit code 0",
    ),
    "the process ends itself before the commit": (
        "exits",
        {"WHERE": "inside:os._exit"},
        "ProjectFailed",
        "It must return when it is done",
    ),
    "a thread that nobody waits for": (
        "thread_that_nobody_waits_for",
        {},
        "NeverConfigured",
        "without calling context.configure()",
    ),
}


def planned(project: Project, database, **environment: str) -> Planned:
    """For a run that libpq could confirm alone; where no plan comes through this env.py, made before it was there."""
    request = request_for(database_request(), mode=Mode.PLAN)
    urls, env = {"main": database.url()}, project.env.read_text()
    found = run_runner(project, request, urls, **environment).result.plan.databases[0].planned
    if found is None:
        from_template(project.folder / "another")
        project.env.write_text((project.folder / "another" / "migrations" / "env.py").read_text())
        found = run_runner(project, request, urls).result.plan.databases[0].planned
        project.env.write_text(env)
    assert found.env.libpq
    return found


def failed(run, name: str, exit_code: ExitCode) -> str:
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == name, run.result.failure
    assert run.exit_code == exit_code
    return run.result.failure.message


@pytest.mark.parametrize("is_planned", [False, True], ids=["no plan", "planned"])
@pytest.mark.parametrize(("name", "environment", "failure", "said"), NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_an_exit_code_of_0_with_nothing_done_is_a_failure(
    tmp_path, database, name, environment, failure, said, is_planned
):
    project = from_template(tmp_path).tables("a1", "a2").use_env(name)
    expected = planned(project, database, **environment) if is_planned else None
    database.execute("DROP SCHEMA IF EXISTS app")
    assert plain_alembic(project, database.url(), **environment).returncode == 0
    assert database.tables() == set()
    run = migrate(project, database.url(), environment, planned=expected)
    if is_planned and environment.get("WHERE") == "inside:os._exit":
        # No look has met it before.
        failure, said = "Unexpected", "ended itself with exit code 0"
    by_the_run = failure in ("NotPersisted", "Unexpected")
    code = ExitCode.MIGRATION_FAILED if by_the_run else ExitCode.MISCONFIGURED
    assert said in failed(run, failure, code)
    # Where no look came first, each revision was committed before the process ended itself.
    applied = ("a1", "a2") if failure == "Unexpected" else ()
    assert run.result.applied == applied
    assert database.tables() == {*applied, *(["alembic_version"] if applied else [])}


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_a_transaction_that_a_statement_begins_is_lost_and_told_on_other_drivers_too(
    tmp_path, database, driver
):
    template = "async" if driver == "asyncpg" else "generic"
    project = from_template(tmp_path, template).tables("a1")
    if driver == "asyncpg":
        changed = project.env.read_text().replace(
            "    context.configure(connection=connection,",
            "    from sqlalchemy import text\n    connection.execute(text('SELECT 1'))\n"
            "    context.configure(connection=connection,",
        )
        project.env.write_text(changed)
    else:
        project.use_env("statement_before_configure")
    run = migrate(project, database.url(driver), {"FIRST_STATEMENT": "SELECT 1"})
    assert ROLLED_BACK in failed(run, "NotPersisted", ExitCode.MIGRATION_FAILED)
    assert database.tables() == set()


@pytest.mark.parametrize(
    ("how", "failure", "said"),
    [
        ("sys.exit(0)", "Swallowed", "SystemExit"),
        ("os._exit(0)", "RevisionFailed", "ended itself with exit code 0"),
    ],
)
@pytest.mark.parametrize("is_planned", [False, True], ids=["no plan", "planned"])
def test_a_revision_that_ends_the_process_is_not_applied(
    tmp_path, make_database, how, failure, said, is_planned
):
    project = from_template(tmp_path).tables("a1")
    project.revision("a2", f"import os, sys; op.execute('CREATE TABLE a2 ()'); {how}").tables("a3")
    plainly, ours = make_database("plain"), make_database("runner")
    assert plain_alembic(project, plainly.url()).returncode == 0
    assert plainly.tables() == set()
    run = migrate(project, ours.url(), planned=planned(project, ours) if is_planned else None)
    message = failed(run, failure, ExitCode.MIGRATION_FAILED)
    assert said in message
    assert "Revision a2 (revision a2)" in message
    assert run.result.failure.revision == "a2"
    assert (run.result.applied, run.result.to_revision) == (("a1",), ("a1",))
    assert ours.tables() == {"alembic_version", "a1"}


def test_an_exit_when_all_is_committed_is_no_failure(tmp_path, database):
    """Each revision was committed, and the database says so: how env.py ends does not matter."""
    project = from_template(tmp_path).tables("a1").use_env("exits")
    run = migrate(project, database.url(), {"WHERE": "inside:sys.exit"})
    assert run.exit_code == 0, run.stderr
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


@pytest.mark.parametrize("is_planned", [False, True], ids=["no plan", "planned"])
def test_an_operational_error_that_env_py_hides_is_told_with_its_reason(tmp_path, database, is_planned):
    project = from_template(tmp_path).tables("a1").use_env("only_deadlocks_are_raised")
    project.revision("a2", "op.execute('SELECT pg_advisory_lock(4711)')")
    expected = planned(project, database) if is_planned else None
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(4711)")
    timeouts = {"lock_timeout_seconds": 1, "lock_give_up_seconds": 1}
    run = migrate(project, database.url(), options=timeouts, planned=expected)
    message = failed(run, "Swallowed", ExitCode.MIGRATION_FAILED)
    assert "Revision a2 (revision a2) failed: canceling statement due to lock timeout" in message
    assert run.result.failure.sqlstate == "55P03"
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


@pytest.mark.parametrize("is_planned", [False, True], ids=["no plan", "planned"])
def test_a_version_row_that_is_taken_away_afterwards_is_missed(tmp_path, database, is_planned):
    project = from_template(tmp_path).tables("a1").use_env("version_row_taken_away")
    run = migrate(project, database.url(), planned=planned(project, database) if is_planned else None)
    assert "does not have a1" in failed(run, "NotPersisted", ExitCode.MIGRATION_FAILED)
    assert run.result.to_revision == ()
    assert database.rows("SELECT version_num FROM alembic_version") == []


def test_a_version_row_that_lands_in_another_schema_is_missed(tmp_path, database):
    """A dump that was pasted into a revision: it moves the search path, and Alembic's own row follows."""
    database.execute("CREATE SCHEMA other; CREATE TABLE other.alembic_version (version_num varchar(32))")
    project = from_template(tmp_path).revision(
        "a1",
        "op.execute('CREATE TABLE a1 ()'); op.execute(\"SELECT set_config('search_path', 'other', false)\")",
    )
    run = migrate(project, database.url())
    assert "does not have a1" in failed(run, "NotPersisted", ExitCode.MIGRATION_FAILED)
    assert run.result.applied == ()
    assert database.rows("SELECT version_num FROM other.alembic_version") == [("a1",)]
    assert database.rows("SELECT version_num FROM alembic_version") == []


def test_a_setting_that_leads_to_another_database_of_the_server_is_refused(tmp_path, make_database):
    wanted, other = make_database("wanted"), make_database("other")
    project = from_template(tmp_path).tables("a1").use_env("url_overwritten_by_settings")
    settings = {"SETTINGS_DATABASE": other.url()}
    message = failed(migrate(project, wanted.url(), settings), "WrongDatabase", ExitCode.MISCONFIGURED)
    assert other.name in message
    assert wanted.tables() == other.tables() == set()
    assert plain_alembic(project, wanted.url(), **settings).returncode == 0
    assert other.tables() == {"alembic_version", "a1"}, "plain Alembic migrates what it was not asked to"


def test_a_database_of_the_same_name_on_another_server_is_refused(tmp_path, database):
    with EmbeddedPostgres.start() as embedded:
        server = PostgresServer(embedded.url())
        namesake = server.make_database()
        namesake.execute(f'CREATE DATABASE "{database.name}"')
        there = namesake.url().rpartition("/")[0] + f"/{database.name}"
        project = from_template(tmp_path).tables("a1").use_env("url_overwritten_by_settings")
        run = migrate(project, database.url(), {"SETTINGS_DATABASE": there})
    message = failed(run, "WrongDatabase", ExitCode.MISCONFIGURED)
    assert f"env.py connected to {database.name}" in message
    assert "on another server" in message
    assert database.tables() == set()


OWN_CONNECTION = """
op.execute("CREATE TABLE kept ()")
with op.get_bind().engine.connect() as other:
    other.execute(sa.text("SELECT count(*) FROM pg_class"))
    {statement}
"""


def test_what_a_revision_rolls_back_on_a_connection_of_its_own_is_told(tmp_path, database):
    """Its version row is committed all the same: that is all that the database shows."""
    body = OWN_CONNECTION.format(statement='other.execute(sa.text("CREATE TABLE lost (id int)"))')
    run = migrate(from_template(tmp_path).revision("a1", body), database.url())
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"alembic_version", "kept"}
    (notice,) = [event for event in run.of(Notice) if "rolled back" in event.message]
    told = "Revision a1 (revision a1) rolled back on a connection of its own: CREATE TABLE lost"
    assert told in notice.message
    assert notice.warning


@pytest.mark.parametrize(
    "statement", ["pass", 'other.execute(sa.text("CREATE TABLE own ()")); other.commit()']
)
def test_a_revision_that_keeps_what_it_does_elsewhere_is_told_nothing(tmp_path, database, statement):
    project = from_template(tmp_path).revision("a1", OWN_CONNECTION.format(statement=statement))
    run = migrate(project, database.url())
    assert run.exit_code == 0, run.stderr
    assert run.of(Notice) == []


def test_another_connection_that_is_closed_hides_nothing_of_what_stayed(tmp_path, database):
    project = from_template(tmp_path)
    project.revision(
        "a1", OWN_CONNECTION.format(statement="pass") + "op.execute('COMMIT'); op.execute('SELECT 1/0')"
    )
    run = migrate(project, database.url())
    assert "CREATE TABLE kept" in failed(run, "PartiallyApplied", ExitCode.MIGRATION_FAILED)
