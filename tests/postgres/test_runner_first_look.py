"""A run that carries out a plan looks itself, under the lock; whatever is not as planned is left to a look."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from headway_contract.events import (
    Notice,
    PassRetried,
    RevisionApplied,
    RevisionStarted,
    Verified,
)
from headway_contract.events import Planned as PlannedEvent
from headway_contract.exit_codes import ExitCode
from headway_contract.planned import NOT_KNOWN, EnvFacts, Planned
from headway_contract.request import Mode, WhenAhead
from headway_contract.result import Outcome
from support.env_passes import counted, passes
from support.projects import Project, from_template
from support.runner import Run, database_request, migrate, plan, request_for, run_runner, start
from support.waiting import wait_until

ONE_CONTEXT = EnvFacts(contexts=1, libpq=True)
WRITES_BEFORE_CONFIGURE = "connection.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS app'); connection.commit()"
SETS_FOR_ONE_TRANSACTION = "connection.exec_driver_sql('SET LOCAL search_path = app')"
TENANTS = """
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    for tenant in {tenants!r}:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET search_path = {{tenant}}")
            connection.commit()
            context.configure(connection=connection, version_table_schema=tenant)
            with context.begin_transaction():
                context.run_migrations()
"""


def planned(project: Project, database, **options) -> Planned:
    run = plan(project, {"main": database.url()}, **options)
    found = run.result.plan.databases[0].planned
    assert found is not None, run.stderr
    return found


def insert(project: Project, code: str, where: str = "        context.configure(") -> Project:
    text = project.env.read_text()
    assert where in text
    indent = " " * (len(where) - len(where.lstrip()))
    project.env.write_text(text.replace(where, f"{indent}{code}\n{where}", 1))
    return project


def carried_out(project: Project, database, expected: Planned, **options) -> Run:
    """A run with a plan that comes to its target."""
    run = migrate(project, database.url(), planned=expected, **options)
    assert run.exit_code == 0, run.stderr
    return run


def test_what_was_planned_is_run_and_verified_and_not_looked_at_before(tmp_path, database):
    project = counted(from_template(tmp_path).tables("a1", "a2"))
    expected = planned(project, database)
    assert expected.env == ONE_CONTEXT
    passes(project)
    run = carried_out(project, database, expected)
    assert passes(project) == 1
    assert run.kinds()[:4] == ["RunStarted", "DatabaseReached", "LockAcquired", "Planned"]
    assert [event.under_lock for event in run.of(PlannedEvent)] == [True]
    assert (run.result.from_revision, run.result.to_revision) == ((), ("a2",))
    assert run.result.applied == ("a1", "a2")
    assert run.of(Verified)


def test_without_a_plan_or_with_one_that_tells_less_the_run_looks_first(tmp_path, make_database):
    project = counted(from_template(tmp_path).tables("a1"))
    for name, forget in (("none", None), ("older", NOT_KNOWN)):
        database = make_database(name)
        expected = planned(project, database) if forget is not None else None
        passes(project)
        carried_out(project, database, None if expected is None else replace(expected, env=forget))
        assert passes(project) == 2, "the look, and the run"


def test_nothing_left_of_the_plan_is_seen_by_a_look_and_nothing_is_written(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, database)
    carried_out(project, database, expected)
    before = database.scalar("SELECT xmin::text || ctid::text FROM alembic_version")
    run = carried_out(project, database, expected)
    assert (run.result.applied, run.result.to_revision) == ((), ("a1",))
    assert run.of(RevisionStarted) == []
    assert [event.count for event in run.of(PlannedEvent)] == [0, 0]
    assert run.of(Verified) == [Verified("main", ("a1",), 0)]
    assert database.scalar("SELECT xmin::text || ctid::text FROM alembic_version") == before


@pytest.mark.parametrize("when_ahead", [WhenAhead.ACCEPT, WhenAhead.FAIL])
def test_a_database_past_the_target_is_judged_by_a_look_and_nothing_is_written(
    tmp_path, database, when_ahead
):
    project = from_template(tmp_path).tables("a1", "a2")
    assert migrate(project, database.url()).exit_code == 0
    expected = planned(project, database, target="a1")
    options = {"when_ahead": when_ahead}
    run = migrate(project, database.url(), planned=expected, target="a1", options=options)
    if when_ahead is WhenAhead.ACCEPT:
        assert (run.exit_code, run.result.ahead) == (0, True), run.stderr
        assert any("which is past the target a1. This is accepted." in one.message for one in run.of(Notice))
    else:
        assert run.result.failure.name == "DatabaseAhead", run.stderr
    assert run.of(RevisionStarted) == []
    assert database.rows("SELECT version_num FROM alembic_version") == [("a2",)]


def test_an_env_py_that_goes_to_another_database_since_the_plan_writes_nothing_there(tmp_path, make_database):
    wanted, other = make_database("wanted"), make_database("other")
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, wanted)
    project.env.write_text(
        project.env.read_text().replace(
            "def run_migrations_online",
            f"config.set_main_option('sqlalchemy.url', {other.url()!r})\n\n\ndef run_migrations_online",
        )
    )
    run = migrate(project, wanted.url(), planned=expected)
    assert run.exit_code == ExitCode.MISCONFIGURED
    assert run.result.failure.name == "WrongDatabase"
    assert wanted.tables() == other.tables() == set()


def test_what_env_py_writes_by_itself_is_known_from_the_plan(tmp_path, database):
    project = counted(insert(from_template(tmp_path).tables("a1"), WRITES_BEFORE_CONFIGURE))
    expected = planned(project, database)
    assert expected.env == replace(ONE_CONTEXT, writes=True)
    passes(project)
    carried_out(project, database, expected)
    assert passes(project) == 1


def searching(project: Project) -> Project:
    """Revisions that need a search path which env.py may set."""
    return project.revision("a1", "op.execute('CREATE TABLE one ()')").revision(
        "a2", "op.execute('CREATE TABLE two ()')"
    )


IN_THE_SCHEMA = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'app' AND tablename IN ('one', 'two') ORDER BY 1"
)


def test_a_setting_for_one_transaction_is_known_from_the_plan(tmp_path, database):
    database.execute("CREATE SCHEMA app")
    project = counted(searching(from_template(tmp_path)))
    insert(project, SETS_FOR_ONE_TRANSACTION, "            context.run_migrations()\n\n\nif")
    expected = planned(project, database)
    assert expected.env == replace(ONE_CONTEXT, one_transaction=True)
    passes(project)
    carried_out(project, database, expected)
    assert passes(project) == 1
    assert database.rows(IN_THE_SCHEMA) == [("one",), ("two",)]


def test_a_setting_for_one_transaction_that_came_since_the_plan_is_left_to_a_look(tmp_path, database):
    database.execute("CREATE SCHEMA app")
    project = counted(searching(from_template(tmp_path)))
    expected = planned(project, database)
    insert(project, SETS_FOR_ONE_TRANSACTION, "            context.run_migrations()\n\n\nif")
    passes(project)
    carried_out(project, database, expected)
    assert passes(project) == 3, "the run that gave up, the look, and the run"
    assert database.rows(IN_THE_SCHEMA) == [("one",), ("two",)]


def with_psycopg2(folder: Path) -> dict[str, str]:
    """The environment of an image whose synchronous driver is none for an asynchronous engine."""
    (folder / "path").mkdir()
    (folder / "path" / "sitecustomize.py").write_text("import sys\nsys.modules['psycopg'] = None\n")
    return {"PYTHONPATH": str(folder / "path")}


def test_an_asynchronous_engine_is_known_from_the_plan(tmp_path, database):
    project = counted(from_template(tmp_path / "project", "async").tables("a1"))
    urls = {"main": database.url(driver="")}
    image = with_psycopg2(tmp_path)
    found = run_runner(project, request_for(database_request(), mode=Mode.PLAN), urls, **image)
    expected = found.result.plan.databases[0].planned
    assert expected.env == EnvFacts(contexts=1, asynchronous=True)
    for told, times in ((expected, 2), (replace(expected, env=ONE_CONTEXT), 5)):
        passes(project)
        run = run_runner(project, request_for(database_request(planned=told)), urls, **image)
        assert run.exit_code == 0, run.stderr
        assert (run.result.applied, passes(project)) == (("a1",), times)
        database.execute("DROP TABLE a1, alembic_version")


def test_an_engine_that_is_not_asynchronous_any_more_is_left_to_a_look(tmp_path, database):
    project = counted(from_template(tmp_path / "project").tables("a1"))
    urls = {"main": database.url(driver="")}
    told = replace(planned(project, database), env=EnvFacts(contexts=1, asynchronous=True))
    passes(project)
    request = request_for(database_request(planned=told))
    run = run_runner(project, request, urls, **with_psycopg2(tmp_path))
    assert run.exit_code == 0, run.stderr
    assert (run.result.applied, passes(project)) == (("a1",), 3)


def test_of_several_contexts_all_are_looked_at_before_the_first_is_touched(tmp_path, database):
    project = counted(from_template(tmp_path).write_env(TENANTS.format(tenants=("t1", "t2"))))
    searching(project)
    database.execute("CREATE SCHEMA t1; CREATE SCHEMA t2")
    expected = planned(project, database)
    assert expected.env.contexts == 2
    database.execute("CREATE TABLE t2.alembic_version (version_num varchar(32))")
    database.execute("INSERT INTO t2.alembic_version VALUES ('ffff')")
    passes(project)
    run = migrate(project, database.url(), planned=expected)
    assert run.result.failure.name == "PlanChanged"
    assert passes(project) == 1
    assert database.scalar("SELECT count(*) FROM pg_tables WHERE tablename = 'one'") == 0


def test_a_context_that_came_since_the_plan_is_not_touched(tmp_path, database):
    project = searching(from_template(tmp_path).write_env(TENANTS.format(tenants=("t1",))))
    database.execute("CREATE SCHEMA t1; CREATE SCHEMA t2")
    expected = planned(project, database)
    project.write_env(TENANTS.format(tenants=("t1", "t2")))
    run = migrate(project, database.url(), planned=expected)
    assert run.result.failure.name == "PlanChanged"
    assert "more migration contexts than when it was planned" in run.result.failure.message
    assert database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'two'") == [("t1",)]
    assert database.scalar("SELECT to_regclass('t2.alembic_version')") is None


@pytest.fixture
def tries_again(tmp_path, database):
    """A project whose env.py tries again itself, and its plan."""
    database.execute("CREATE TABLE busy (id int)")
    project = from_template(tmp_path).use_env("lock_tried_again").tables("a1")
    project.revision("a2", "op.execute('ALTER TABLE busy ADD COLUMN a int')")
    expected = planned(project, database)
    assert expected.env.contexts == 1
    return project, expected


def test_an_env_py_that_tries_again_itself_is_carried_out_as_planned(tries_again, database):
    project, expected = tries_again
    run = carried_out(project, database, expected, environment={"BUSY": "busy"})
    assert run.result.applied == ("a1", "a2")
    assert (len(run.of(PassRetried)), run.kinds().count("LockAcquired")) == (0, 2)
    assert database.rows("SELECT version_num FROM alembic_version") == [("a2",)]


def test_another_version_table_is_not_touched_also_when_the_planned_one_has_failed(tries_again, database):
    project, expected = tries_again
    environment = {"BUSY": "busy", "THEN": "another_version"}
    run = migrate(project, database.url(), environment, planned=expected)
    assert run.result.failure.name == "PlanChanged"
    assert "more migration contexts than when it was planned" in run.result.failure.message
    assert database.scalar("SELECT to_regclass('another_version')") is None


def test_a_refusal_leaves_not_even_a_version_table_where_every_statement_commits_itself(tmp_path, database):
    project = from_template(tmp_path).use_env("autocommit_engine").tables("a1")
    expected = planned(project, database)
    assert expected.env == ONE_CONTEXT
    run = migrate(project.tables("a2"), database.url(), planned=expected)
    assert run.result.failure.name == "PlanChanged"
    assert "LockAcquired" in run.kinds()
    assert database.tables() == set()


def test_what_env_py_fails_of_is_told_by_a_look_as_ever(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, database)
    project.env.write_text("raise KeyError('nothing')\n")
    failures = [
        migrate(project, database.url(), planned=held_to).result.failure for held_to in (expected, None)
    ]
    assert failures[0] == failures[1]
    assert failures[0].name == "ProjectFailed"


def test_a_process_that_ends_before_its_first_revision_is_told_by_a_look_as_ever(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, database)
    project.env.write_text("import os\nos._exit(3)\n")
    run = migrate(project, database.url(), planned=expected)
    assert run.result.failure.name == "ProjectFailed"
    assert "ended the process with exit code 3" in run.result.failure.message


def test_while_another_run_holds_the_lock_a_look_is_made_before_it_is_awaited(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, database)
    hang = tmp_path / "hang"
    project.revision(
        "a2", f"import pathlib, time\nwhile not pathlib.Path({str(hang)!r}).exists(): time.sleep(.02)"
    )
    long = planned(project, database)
    first = start(project, request_for(database_request(planned=long)), {"main": database.url()})
    first.wait_for(RevisionStarted, revision="a2")
    (project.folder / project.scripts / "versions" / "a2.py").rename(tmp_path / "a2.py")
    second = start(project, request_for(database_request(planned=expected)), {"main": database.url()})
    second.wait_for(PlannedEvent, under_lock=False)
    (tmp_path / "a2.py").rename(project.folder / project.scripts / "versions" / "a2.py")
    hang.touch()
    assert first.finish().exit_code == 0
    run = second.finish()
    assert run.of(RevisionApplied) == []


def test_of_two_runs_of_one_plan_at_once_exactly_one_applies(tmp_path, database):
    project = from_template(tmp_path).tables("a1").revision("a2", "op.execute('SELECT pg_sleep(1)')")
    request = request_for(database_request(planned=planned(project, database)))
    runs = [one.finish() for one in [start(project, request, {"main": database.url()}) for _ in range(2)]]
    assert [run.exit_code for run in runs] == [0, 0], [run.stderr for run in runs]
    assert sorted(run.result.applied_count for run in runs) == [0, 2]


def test_a_run_that_was_planned_is_stopped_at_once_before_it_comes_to_the_lock(tmp_path, database):
    hang, there = tmp_path / "hang", tmp_path / "there"
    project = from_template(tmp_path / "project").tables("a1")
    expected = planned(project, database)
    project.env.write_text(
        f"import pathlib, time\npathlib.Path({str(there)!r}).touch()\n"
        f"while not pathlib.Path({str(hang)!r}).exists(): time.sleep(0.02)\n" + project.env.read_text()
    )
    request = request_for(database_request(planned=expected), grace_seconds=600)
    running = start(project, request, {"main": database.url()})
    wait_until(there.exists, what="the run")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert (run.result.failure, run.of(Verified)) == (None, [])
    assert database.tables() == set()


def test_a_run_that_was_planned_stops_between_two_revisions(tmp_path, database):
    begun, go = tmp_path / "begun", tmp_path / "go"
    project = from_template(tmp_path / "project").revision(
        "a1",
        f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)",
    )
    project.tables("a2")
    request = request_for(database_request(planned=planned(project, database)), grace_seconds=600)
    running = start(project, request, {"main": database.url()})
    wait_until(begun.exists, what="the first revision")
    running.terminate()
    wait_until(
        lambda: "Stopping" in [type(one).__name__ for one in running.events()], what="the wish to stop"
    )
    go.touch()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert (run.result.from_revision, run.result.to_revision) == ((), ("a1",))


def test_a_lock_that_cannot_be_had_is_tried_again_and_the_result_tells_the_whole_run(tmp_path, database):
    database.execute("CREATE TABLE busy (a int)")
    project = from_template(tmp_path).tables("a1").revision("a2", "op.execute('ALTER TABLE busy ADD b int')")
    blocker = database.connect(autocommit=False)
    blocker.execute("SELECT * FROM busy")
    request = request_for(database_request(planned=planned(project, database)), lock_timeout_seconds=1)
    running = start(project, request, {"main": database.url()})
    running.wait_for(PassRetried)
    blocker.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert (run.result.from_revision, run.result.to_revision) == ((), ("a2",))
    assert run.result.applied == ("a1", "a2")


INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_over'::regclass"
SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%%'"


@pytest.mark.parametrize("end", ["reported", "killed"])
def test_an_index_that_was_invalid_before_is_told_and_is_no_failure_of_this_run(tmp_path, database, end):
    database.execute("CREATE TABLE t (a int); CREATE INDEX left_over ON t (a)")
    database.execute(INVALID)
    project = from_template(tmp_path).tables("a1").revision("a2", "op.execute('SELECT pg_sleep(2)')")
    request = request_for(database_request(planned=planned(project, database)))
    running = start(project, request, {"main": database.url()})
    if end == "killed":
        wait_until(lambda: database.scalar(SLEEPS), what="the second revision")
        process = running.process.pid
        (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
    run = running.finish()
    told = [event.message for event in run.of(Notice)]
    assert any("left_over is INVALID: an interrupted build left it" in message for message in told)
    if end == "reported":
        assert run.exit_code == 0, run.stderr
        assert any("left_over was invalid before this run and still is" in message for message in told)
    else:
        assert run.result.outcome is Outcome.FAILED
        assert "left_over" not in run.result.failure.message
        assert (run.result.from_revision, run.result.to_revision) == ((), ("a1",))
