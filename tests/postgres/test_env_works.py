"""The env.py of other people that bring a database to head under plain Alembic do so under the runner."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import make_url

from headway_contract.events import Notice, RevisionApplied
from headway_contract.exit_codes import ExitCode
from support.plain import plain_alembic
from support.projects import from_template
from support.runner import database_request, migrate, only_events, plan, request_for, run_runner

EVERYTHING = {"alembic_version", "a1", "a2"}
WORKING = {
    "connection_in_attributes": {},
    "creator": {},
    "local_settings": {},
    "version_table_locked": {},
    "own_lock_and_commits": {},
    "autocommit_engine": {},
    "engine_begin": {},
    "options_of_autogenerate": {},
    "seed_afterwards": {},
    "thread_that_is_joined": {},
    "loop_in_another_thread": {"driver": "asyncpg"},
    "engine_of_the_module": {"POOL": "StaticPool"},
}
OWNERS = "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
POOLS = ("NullPool", "QueuePool")


def two_tables(folder, name):
    return from_template(folder).tables("a1", "a2").use_env(name)


@pytest.mark.parametrize(("name", "options"), WORKING.items(), ids=WORKING)
def test_a_working_env_py_is_no_worse_under_the_runner(tmp_path, make_database, name, options):
    environment = {key: value for key, value in options.items() if key.isupper()}
    driver = options.get("driver", "psycopg")
    plainly, ours = make_database("plain"), make_database("runner")
    project = two_tables(tmp_path, name)
    done = plain_alembic(project, plainly.url(driver), **environment)
    assert done.returncode == 0, done.stderr
    run = migrate(project, ours.url(driver), environment)
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert run.result.applied == ("a1", "a2")
    assert only_events(run.stdout)
    for database in (plainly, ours):
        assert database.tables() == EVERYTHING
        assert database.rows("SELECT version_num FROM alembic_version") == [("a2",)]
    assert ours.rows(OWNERS) == plainly.rows(OWNERS)


@pytest.mark.parametrize("pool", POOLS)
def test_an_engine_that_is_shared_by_contexts_may_have_any_pool(tmp_path, database, pool):
    run = migrate(two_tables(tmp_path, "engine_of_the_module"), database.url(), {"POOL": pool})
    assert run.exit_code == 0, run.stderr
    assert database.tables() == EVERYTHING
    assert "the database is at ('a2',)" in run.stderr


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_a_transaction_around_everything_is_told_as_one(tmp_path, database, driver):
    """Nothing is committed for each revision, and nothing is said to be."""
    project = two_tables(tmp_path, "engine_begin")
    if driver == "asyncpg":
        project = from_template(tmp_path / "async", "async").tables("a1", "a2")
        project.env.write_text(project.env.read_text().replace(".connect()", ".begin()"))
    run = migrate(project, database.url(driver))
    assert run.exit_code == 0, run.stderr
    assert [event.committed for event in run.of(RevisionApplied)] == [False, False]
    assert database.tables() == EVERYTHING


def test_a_failure_inside_a_transaction_around_everything_leaves_nothing(tmp_path, database):
    project = from_template(tmp_path).tables("a1").use_env("engine_begin")
    project.revision("a2", "op.execute('SELECT 1/0')")
    run = migrate(project, database.url())
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert (run.result.failure.name, run.result.failure.revision) == ("RevisionFailed", "a2")
    assert (run.result.applied, run.result.to_revision, run.result.pending_count) == ((), (), 2)
    assert database.tables() == set()


@pytest.mark.parametrize("name", ["engine_begin", "statement_before_configure"])
def test_autocommit_block_in_a_transaction_of_env_py_is_told_with_what_to_do(tmp_path, database, name):
    project = from_template(tmp_path).use_env(name)
    project.revision("a1", "with op.get_context().autocommit_block():\n    op.execute('CREATE TABLE a1 ()')")
    first = {"FIRST_STATEMENT": "SELECT 1"}
    assert plain_alembic(project, database.url(), **first).stderr.rstrip().endswith("\nAssertionError")
    run = migrate(project, database.url(), first)
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert run.result.failure.name == "RevisionFailed"
    assert "env.py began one itself before context.configure()" in run.result.failure.message
    assert "engine.connect() in place of engine.begin()" in run.result.failure.message
    assert database.tables() == set()


def test_an_assertion_of_a_revision_is_told_as_its_own(tmp_path, database):
    project = from_template(tmp_path).use_env("engine_begin").revision("a1", "assert False")
    assert (
        migrate(project, database.url())
        .result.failure.message.split(" (a1.py, line ")[0]
        .endswith("failed: AssertionError")
    )


def test_settings_for_one_transaction_hold_for_all_revisions_and_an_explicit_wish_wins(tmp_path, database):
    for revision, wish, committed in (
        ("a1", {"transaction_per_migration": False}, False),
        ("a2", {"transactional_ddl": False}, True),
        ("a3", {"transaction_per_migration": True}, True),
    ):
        project = from_template(tmp_path / revision).tables(*("a1", "a2", "a3")[: int(revision[1])])
        run = migrate(project.use_env("explicit_transactions"), database.url(), {"CONFIGURE": repr(wish)})
        assert run.exit_code == 0, run.stderr
        assert [(event.revision, event.committed) for event in run.of(RevisionApplied)] == [
            (revision, committed)
        ]
    assert database.tables() == {"alembic_version", "a1", "a2", "a3"}


@pytest.mark.parametrize(
    "sets",
    [
        "SELECT set_config('search_path', CAST(:schema AS text), true)",
        "-- of the tenant\nSET LOCAL search_path = app",
        "/* first */ SET CONSTRAINTS ALL DEFERRED",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    ],
)
def test_what_is_set_for_one_transaction_holds_for_all_revisions_however_it_is_set(tmp_path, database, sets):
    database.execute("CREATE SCHEMA app")
    project = from_template(tmp_path).tables("a1", "a2").use_env("local_settings")
    run = migrate(project, database.url(), {"SETS": sets})
    assert run.exit_code == 0, run.stderr
    assert [event.committed for event in run.of(RevisionApplied)] == [False, False]
    found = {
        schema
        for (schema,) in database.rows("SELECT schemaname FROM pg_tables WHERE tablename IN ('a1', 'a2')")
    }
    assert found == {"app" if "app" in sets or ":schema" in sets else "public"}


def test_one_transaction_by_env_pys_own_wish_is_undone_whole(tmp_path, database):
    project = from_template(tmp_path).tables("a1").use_env("explicit_transactions")
    project.revision("a2", "op.execute('SELECT 1/0')")
    wish = {"CONFIGURE": "{'transaction_per_migration': False}"}
    run = migrate(project, database.url(), wish)
    assert run.result.failure.name == "RevisionFailed"
    assert (run.result.applied, run.result.to_revision) == ((), ())
    assert database.tables() == set()


def test_an_autocommit_engine_is_not_tried_again_and_what_stayed_is_named(tmp_path, database):
    project = from_template(tmp_path).use_env("autocommit_engine")
    project.revision("a1", "op.execute('CREATE TABLE stays ()'); op.execute('SELECT 1/0')")
    run = migrate(project, database.url())
    assert run.result.failure.name == "PartiallyApplied"
    assert "CREATE TABLE stays" in run.result.failure.message
    assert "stays" in database.tables()


def test_the_application_finds_the_database_by_its_own_variable(tmp_path, database):
    project = two_tables(tmp_path, "url_from_environment")
    run = migrate(project, database.url(), export_url_as="DATABASE_URL")
    assert run.exit_code == 0, run.stderr
    assert database.tables() == EVERYTHING


def test_the_application_finds_the_database_by_a_key_of_its_own(tmp_path, database):
    project = two_tables(tmp_path, "url_under_another_key")
    ini = tmp_path / "alembic.ini"
    ini.write_text(re.sub(r"sqlalchemy\.url = .*", f"url = {database.url()}", ini.read_text()))
    run = run_runner(project, request_for(database_request(url_variable="")), {})
    assert run.exit_code == 0, run.stderr
    assert database.tables() == EVERYTHING


def test_a_token_in_place_of_the_password_is_enough(tmp_path, database):
    """For every connection, the runner's own ones and that of the lock too: they are env.py's."""
    token = str(make_url(database.url()).password)
    project = two_tables(tmp_path, "token_at_connect")
    without = make_url(database.url()).set(password=None).render_as_string()
    ini = tmp_path / "alembic.ini"
    ini.write_text(re.sub(r"sqlalchemy\.url = .*", f"sqlalchemy.url = {without}", ini.read_text()))
    request = request_for(database_request(url_variable=""))
    run = run_runner(project, request, {}, IAM_TOKEN=token)
    assert run.exit_code == 0, run.stderr
    assert database.tables() == EVERYTHING
    assert token not in run.stdout + run.stderr + run.result.to_json()


def test_the_command_line_is_there_as_alembic_would_have_it(tmp_path, make_database):
    plainly, ours = make_database("plain"), make_database("runner")
    project = two_tables(tmp_path, "command_line_reader")
    done = plain_alembic(project, plainly.url(), "-x", "tenant=acme")
    assert done.returncode == 0, done.stderr
    run = migrate(project, ours.url(), x=(("tenant", "acme"),))
    assert run.exit_code == 0, run.stderr
    assert ours.tables() == plainly.tables() == {"version_of_acme", "a1", "a2"}


def test_callbacks_of_the_project_run_in_their_order_for_each_revision(tmp_path, database):
    run = migrate(two_tables(tmp_path, "options_of_autogenerate"), database.url())
    said = [line for line in run.stderr.splitlines() if "callback:" in line]
    assert said == [
        "first callback: a1 ['a1']", "second callback: a1", "first callback: a2 ['a2']", "second callback: a2",
    ]  # fmt: skip


def test_an_application_that_prints_logs_and_starts_threads_is_imported_as_it_is(tmp_path, database):
    run = migrate(two_tables(tmp_path, "application_import"), database.url())
    assert run.exit_code == 0, run.stderr
    assert only_events(run.stdout)
    assert database.tables() == EVERYTHING
    for how in ("printed", "printed past sys.stdout", "written to the descriptor", "printed by a child"):
        assert f"application: {how}\n" in run.stderr
    assert run.kinds()[-1] == "Verified"


def test_what_env_py_does_behind_its_revisions_cannot_fail_the_plan(tmp_path, database):
    project = two_tables(tmp_path, "seed_afterwards")
    run = plan(project, {"main": database.url()})
    assert run.exit_code == 0, run.stderr
    found = run.result.plan.databases[0]
    assert [one.revision for one in found.pending] == ["a1", "a2"]
    assert "behind its revisions could not be tried" in found.notices[0]
    assert found.planned is None, "a plan that may lack contexts holds nobody"
    assert database.tables() == set()
    run = migrate(project, database.url())
    assert run.exit_code == 0, run.stderr
    assert database.rows("SELECT id FROM a2") == [(1,)]
    assert [event.message for event in run.of(Notice)] == list(found.notices)
