"""Whatever goes wrong has a name, a sentence without secrets, and leaves the database as it is said to be."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import make_url

from headway_contract.events import PassRetried, RevisionStarted
from headway_contract.exit_codes import ExitCode
from headway_contract.request import WhenAhead
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import database_request, migrate, plan, request_for, start
from support.waiting import wait_until

CONFIGURED = "context.config.get_main_option('sqlalchemy.url')"
DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")


def url_with(of, driver="psycopg", **parts):
    return make_url(of.url(driver)).set(**parts).render_as_string(hide_password=False)


def template_for(driver):
    return "async" if driver == "asyncpg" else "generic"


def refused(run, name, exit_code):
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == name, run.result.failure
    assert run.exit_code == exit_code
    return run.result.failure.message


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_wrong_password_is_named_and_not_shown(tmp_path, database, driver):
    # The test server trusts nobody: it asks for a password on loopback too.
    project = from_template(tmp_path, template_for(driver)).tables("a1")
    run = migrate(project, url_with(database, driver, password="wr0ng-Secret"))
    refused(run, "AuthenticationFailed", ExitCode.REFUSED)
    assert "wr0ng-Secret" not in run.stdout + run.stderr + run.result.to_json()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_database_that_does_not_exist_is_named(tmp_path, database, driver):
    project = from_template(tmp_path, template_for(driver)).tables("a1")
    message = refused(
        migrate(project, url_with(database, driver, database="nowhere")),
        "DatabaseDoesNotExist",
        ExitCode.REFUSED,
    )
    assert "nowhere" in message


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_is_away_is_worth_another_attempt(tmp_path, database, driver):
    project = from_template(tmp_path, template_for(driver)).tables("a1")
    run = migrate(project, url_with(database, driver, port=1))
    refused(run, "DatabaseUnreachable", ExitCode.UNAVAILABLE)
    assert run.result.failure.kind.retry


def test_a_host_that_has_no_address_is_unreachable(tmp_path, database):
    run = migrate(from_template(tmp_path).tables("a1"), url_with(database, host="no-such-host.invalid"))
    refused(run, "DatabaseUnreachable", ExitCode.UNAVAILABLE)


def test_a_text_that_is_no_url_is_refused_without_showing_it(tmp_path):
    run = migrate(from_template(tmp_path).tables("a1"), "not a url with S3cret")
    assert "URL_main" in refused(run, "InvalidUrl", ExitCode.MISCONFIGURED)
    assert "S3cret" not in run.stdout + run.stderr


def test_a_driver_that_is_not_installed_is_named(tmp_path, database):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['pg8000'] = None\n")
    project = from_template(tmp_path / "project").tables("a1")
    run = migrate(project, database.url("pg8000"), {"PYTHONPATH": str(hidden)})
    message = refused(run, "DriverMissing", ExitCode.MISCONFIGURED)
    assert "pg8000" in message


def test_a_plan_looks_at_every_database_and_fails_with_the_first_that_failed(tmp_path, database):
    urls = {"one": url_with(database, port=1), "two": database.url()}
    run = plan(from_template(tmp_path).tables("a1"), urls)
    refused(run, "DatabaseUnreachable", ExitCode.UNAVAILABLE)
    assert run.result.database == "one"
    one, two = run.result.plan.databases
    assert one.failure.name == "DatabaseUnreachable"
    assert [revision.revision for revision in two.pending] == ["a1"]


def test_a_missing_project_is_named_with_its_place(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    message = refused(
        migrate(project, database.url(), config="deploy/alembic.ini"),
        "ProjectNotFound",
        ExitCode.MISCONFIGURED,
    )
    assert "deploy/alembic.ini" in message
    message = refused(
        migrate(project, database.url(), section="nope"), "ProjectNotFound", ExitCode.MISCONFIGURED
    )
    assert "[nope]" in message


def test_an_env_py_that_cannot_be_imported_is_the_projects_failure(tmp_path, database):
    project = from_template(tmp_path).tables("a1").write_env("import no_such_module")
    assert "no_such_module" in refused(
        migrate(project, database.url()), "ProjectFailed", ExitCode.MISCONFIGURED
    )


def test_an_unknown_target_is_named(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    assert "beef" in refused(
        migrate(project, database.url(), target="beef"), "UnknownTarget", ExitCode.BAD_HISTORY
    )
    assert database.tables() == set()


@pytest.mark.parametrize(
    ("after", "named"), [("nowhere", "nowhere"), ("a1", "a1")], ids=["missing parent", "doubled revision"]
)
def test_a_broken_history_is_told_before_anything_runs(tmp_path, database, after, named):
    project = from_template(tmp_path).tables("a1")
    project.revision("a2", after=after)
    if after == "a1":
        versions = tmp_path / "migrations" / "versions"
        (versions / "copy.py").write_text((versions / "a1.py").read_text())
    message = refused(migrate(project, database.url()), "InvalidHistory", ExitCode.BAD_HISTORY)
    assert named in message
    assert database.tables() == set()


def test_a_broken_revision_leaves_those_before_it_and_says_why(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    project.revision("a2", "op.execute('CREATE TABLE half ()'); op.execute('SELECT * FROM missing_table')")
    project.tables("a3")
    run = migrate(project, database.url())
    message = refused(run, "RevisionFailed", ExitCode.MIGRATION_FAILED)
    assert run.result.failure.revision == "a2"
    assert run.result.failure.sqlstate == "42P01"
    assert "missing_table" in message
    assert run.result.to_revision == ("a1",)
    assert run.result.applied == ("a1",)
    assert run.result.pending_count == 2
    assert database.tables() == {"alembic_version", "a1"}


@pytest.mark.parametrize("driver", DRIVERS)
def test_parameters_rows_and_credentials_never_show(tmp_path, database, driver):
    project = from_template(tmp_path, template_for(driver))
    project.revision(
        "a1",
        """
        op.execute("CREATE TABLE people (email text PRIMARY KEY)")
        insert = sa.text("INSERT INTO people VALUES (:email)")
        op.get_bind().execute(insert, {"email": "eve@" + "secret.example"})
        op.get_bind().execute(insert, {"email": "eve@" + "secret.example"})
        """,
    )
    run = migrate(project, database.url(driver))
    assert "people_pkey" in refused(run, "RevisionFailed", ExitCode.MIGRATION_FAILED)
    assert "eve@secret.example" not in run.stdout + run.stderr + run.result.to_json()
    assert make_url(database.url()).password not in run.stdout + run.stderr


def test_a_failure_after_a_commit_says_what_stayed(tmp_path, database):
    project = from_template(tmp_path)
    project.revision(
        "a1",
        """
        op.execute("CREATE TABLE stays ()")
        with op.get_context().autocommit_block():
            op.execute("CREATE TABLE stays_too ()")
        op.execute("SELECT 1/0")
        """,
    )
    run = migrate(project, database.url())
    assert "division by zero" in refused(run, "PartiallyApplied", ExitCode.MIGRATION_FAILED)
    assert run.result.to_revision == ()
    assert {"stays", "stays_too"} <= database.tables()


def test_a_statement_that_only_keeps_a_connection_alive_has_committed_nothing(tmp_path, database):
    project = from_template(tmp_path)
    project.revision(
        "a1",
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT 1")
            op.execute("SELECT 1/0")
        """,
    )
    run = migrate(project, database.url())
    assert "division by zero" in refused(run, "RevisionFailed", ExitCode.MIGRATION_FAILED)
    assert "ommitted before" not in run.result.failure.message


def test_a_missing_permission_is_named(tmp_path, database):
    database.execute("DROP ROLE IF EXISTS hw_limited")
    database.execute("CREATE ROLE hw_limited LOGIN PASSWORD 'hw'; GRANT ALL ON SCHEMA public TO hw_limited")
    database.execute("CREATE TABLE theirs ()")
    project = from_template(tmp_path).revision("a1", "op.execute('ALTER TABLE theirs ADD COLUMN a int')")
    run = migrate(project, url_with(database, username="hw_limited", password="hw"))
    database.execute("DROP OWNED BY hw_limited; DROP ROLE hw_limited")
    assert "theirs" in refused(run, "PermissionDenied", ExitCode.REFUSED)


ENV_HEAD = """
from alembic import context
from sqlalchemy import create_engine, text
engine = create_engine(context.config.get_main_option('sqlalchemy.url'))
"""
NEVER = {
    "an outer transaction that nobody commits": (
        "NotPersisted",
        ENV_HEAD
        + """
with engine.connect() as connection:
    connection.execute(text("SELECT 1"))
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
    ),
    "an exception that env.py swallows": (
        "Swallowed",
        ENV_HEAD
        + """
try:
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
except Exception:
    pass
""",
    ),
    "an env.py that exits": ("NeverConfigured", "import sys; sys.exit(0)"),
    "an env.py that never configures": ("NeverConfigured", "x = 1"),
    "an env.py that never runs": (
        "NeverConfigured",
        ENV_HEAD + "with engine.connect() as connection: context.configure(connection=connection)",
    ),
}


@pytest.mark.parametrize(("name", "code"), NEVER.values(), ids=NEVER)
def test_success_is_never_reported_when_nothing_was_applied(tmp_path, database, name, code):
    project = from_template(tmp_path).write_env(code)
    divisor = 0 if name == "Swallowed" else 1
    project.revision("a1", f"op.execute('CREATE TABLE a1 ()'); op.execute('SELECT 1/{divisor}')")
    run = migrate(project, database.url())
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == name, run.result.failure
    assert run.exit_code in (ExitCode.MIGRATION_FAILED, ExitCode.MISCONFIGURED)
    assert run.result.applied == ()
    assert "a1" not in database.tables()


def ahead(folder, database):
    """A database that a newer image took to a3, and the project as the older image has it, up to a2."""
    project = from_template(folder).tables("a1", "a2", "a3")
    assert migrate(project, database.url()).exit_code == 0
    return project


def older(project):
    (project.folder / "migrations" / "versions" / "a3.py").unlink()
    return project


def test_a_database_that_is_ahead_of_the_image_is_accepted_with_a_word(tmp_path, database):
    run = migrate(older(ahead(tmp_path, database)), database.url())
    assert run.exit_code == 0, run.stderr
    assert run.result.ahead
    assert run.result.to_revision == ("a3",)
    assert "Notice" in run.kinds()
    assert "a3, which this project does not contain (its newest: a2)" in run.stdout


def test_a_database_that_is_ahead_of_the_image_may_be_a_failure(tmp_path, database):
    project = older(ahead(tmp_path, database))
    run = migrate(project, database.url(), options={"when_ahead": WhenAhead.FAIL})
    assert "a3" in refused(run, "DatabaseAhead", ExitCode.BAD_HISTORY)
    run = migrate(project, database.url(), options={"when_ahead": WhenAhead.DOWNGRADE})
    assert "a3" in refused(run, "CannotDowngrade", ExitCode.BAD_HISTORY)


def test_a_database_past_an_older_target_is_accepted_refused_or_taken_back(tmp_path, database):
    project = ahead(tmp_path, database)
    run = migrate(project, database.url(), target="a1")
    assert (run.exit_code, run.result.ahead, run.result.to_revision) == (0, True, ("a3",))
    run = migrate(project, database.url(), target="a1", options={"when_ahead": WhenAhead.FAIL})
    assert "past the target a1" in refused(run, "DatabaseAhead", ExitCode.BAD_HISTORY)
    planned = plan(
        project, {"main": database.url()}, target="a1", options={"when_ahead": WhenAhead.DOWNGRADE}
    )
    (database_plan,) = planned.result.plan.databases
    assert database_plan.downgrade
    assert [one.revision for one in database_plan.pending] == ["a3", "a2"]
    options = {"when_ahead": WhenAhead.DOWNGRADE}
    unplanned = migrate(project, database.url(), target="a1", options=options)
    assert "No plan has shown" in refused(unplanned, "PlanChanged", ExitCode.BAD_HISTORY)
    run = migrate(project, database.url(), target="a1", options=options, planned=database_plan.planned)
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)
    assert run.result.applied == ("a3", "a2")
    assert database.tables() == {"alembic_version", "a1"}


def test_a_process_that_dies_in_a_revision_still_leaves_a_result(tmp_path, database):
    project = from_template(tmp_path).tables("a1").revision("a2", "import os; os.kill(os.getpid(), 9)")
    run = migrate(project, database.url())
    assert "memory" in refused(run, "Unexpected", ExitCode.MIGRATION_FAILED)
    assert run.result.to_revision == ("a1",)
    assert run.result.applied == ("a1",)


def test_a_request_that_cannot_be_read_is_answered(tmp_path):
    import os
    import subprocess
    import sys

    from support.runner import RUNNER

    environment = {**os.environ, "HEADWAY_REQUEST": "{"}
    command = [sys.executable, str(RUNNER)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == ExitCode.BAD_REQUEST
    assert "HEADWAY_REQUEST is not JSON" in process.stderr


def test_one_server_process_that_answers_for_every_session_is_a_pooler(tmp_path, database):
    """As behind a transaction pooler, which lends its servers: here a function of that name gives the answer."""
    database.execute("CREATE FUNCTION public.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    database.execute(f"ALTER DATABASE {database.name} SET search_path = public, pg_catalog")
    run = migrate(from_template(tmp_path).tables("a1"), database.url())
    refused(run, "PoolerDetected", ExitCode.MISCONFIGURED)
    assert database.tables() == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_connection_that_is_lost_in_a_revision_is_worth_another_attempt(tmp_path, database, driver):
    project = from_template(tmp_path, template_for(driver)).tables("a1")
    project.revision("a2", "op.execute('SELECT pg_sleep(60)')")
    running = start(project, request_for(database_request()), {"main": database.url(driver)})
    sleeping = "FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: database.scalar(f"SELECT count(*) {sleeping}"), what="the statement")
    database.execute(f"SELECT pg_terminate_backend(pid) {sleeping}")
    run = running.finish()
    refused(run, "ConnectionLost", ExitCode.UNAVAILABLE)
    assert run.result.to_revision == ("a1",)


def test_a_lock_that_cannot_be_had_in_time_is_tried_again_until_it_can(tmp_path, database):
    database.execute("CREATE TABLE busy (id int)")
    project = from_template(tmp_path).revision("a1", "op.execute('ALTER TABLE busy ADD COLUMN a int')")
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE busy IN ACCESS SHARE MODE")
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=1), {"main": database.url()}
    )
    running.wait_for(PassRetried)
    blocker.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert "lock timeout" in run.of(PassRetried)[0].reason
    assert run.result.to_revision == ("a1",)


def test_a_lock_that_cannot_be_had_at_all_ends_as_busy_with_nothing_applied(tmp_path, database):
    database.execute("CREATE TABLE busy (id int)")
    project = from_template(tmp_path).revision("a1", "op.execute('ALTER TABLE busy ADD COLUMN a int')")
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE busy IN ACCESS SHARE MODE")
    run = migrate(project, database.url(), options={"lock_timeout_seconds": 1, "lock_give_up_seconds": 1})
    refused(run, "LockTimeout", ExitCode.BUSY)
    assert run.result.to_revision == ()


def test_a_lock_timeout_that_env_py_swallows_is_tried_again(tmp_path, database):
    database.execute("CREATE TABLE busy (id int)")
    project = from_template(tmp_path).write_env(NEVER["an exception that env.py swallows"][1])
    project.revision("a1", "op.execute('ALTER TABLE busy ADD COLUMN a int')")
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE busy IN ACCESS SHARE MODE")
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=1), {"main": database.url()}
    )
    running.wait_for(PassRetried)
    blocker.rollback()
    assert running.finish().result.to_revision == ("a1",)


def test_an_old_python_is_told_in_the_result(tmp_path, monkeypatch):
    import headway_runner.__main__ as start_of_runner

    monkeypatch.setattr(start_of_runner.sys, "version_info", (3, 8, 18))
    log = tmp_path / "termination"
    monkeypatch.setenv("HEADWAY_REQUEST", json.dumps({"run": "r1", "terminationLog": str(log)}))
    assert start_of_runner.start() == ExitCode.OLD_PYTHON
    result = json.loads(log.read_text())
    assert (result["outcome"], result["failure"]["name"]) == ("Failed", "OldPython")
    assert "3.8" in result["failure"]["message"]


def test_a_password_that_a_revision_prints_in_its_error_is_in_nothing_that_we_write(tmp_path, database):
    secret = make_url(database.url()).password
    project = from_template(tmp_path).revision(
        "a1", "raise RuntimeError('password is ' + op.get_bind().engine.url.password)"
    )
    run = migrate(project, database.url())
    assert run.result.failure.name == "RevisionFailed"
    said = run.result.failure.message
    assert said.startswith("Revision a1 (revision a1) failed: RuntimeError: password is *** (a1.py, line ")
    assert secret not in run.stdout + run.stderr


def test_what_a_failed_revision_had_committed_is_named(tmp_path, database):
    project = from_template(tmp_path).revision(
        "a1",
        """
        op.execute("CREATE TABLE users (id int)")
        op.execute("COMMIT")
        op.execute("SELECT 1/0")
        """,
    )
    run = migrate(project, database.url())
    assert run.result.failure.name == "PartiallyApplied"
    assert "Committed before that and still there: CREATE TABLE users (id int)." in run.result.failure.message


def test_alembic_s_own_log_lines_are_as_they_always_were(tmp_path, database):
    run = migrate(from_template(tmp_path).tables("users"), database.url())
    assert "Running upgrade  -> " in run.stderr
