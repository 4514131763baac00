"""Wherever a run is when it is stopped or killed: nothing is half-done without a name, and the next run goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from headway_contract.events import LockAwaited, PassRetried, RevisionStarted
from headway_contract.exit_codes import ExitCode
from headway_contract.request import Mode
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

DRIVERS = {
    "psycopg": ("psycopg", "generic"),
    "psycopg, asynchronous": ("psycopg", "async"),
    "psycopg2": ("psycopg2", "generic"),
    "asyncpg": ("asyncpg", "async"),
    "pg8000": ("pg8000", "generic"),
}
WAITS_FOR_A_LOCK = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
IS_ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s"
HOLDS_THE_GIL = "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"
"""Never ends, and no thread of the process gets to run beside it."""


@pytest.fixture
def ledger(database):
    """A table into which revisions write that they ran."""
    database.execute("CREATE TABLE ledger (entry text)")
    return database


def entries(database):
    return sorted(entry for (entry,) in database.rows("SELECT entry FROM ledger"))


def quick(**options):
    """A request whose statements are cancelled one second after the wish to stop."""
    return request_for(database_request(), **{"grace_seconds": 2, **options})


def child_of(running):
    """The process that runs the pass."""
    process = running.process.pid
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


def kill_all(running):
    """As a node that is reset does: no process is left that could notice the end of another one."""
    processes = (running.process.pid, child_of(running))
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in processes:
            os.kill(process, number)
    running.process.wait()


def counting_passes(project, folder):
    """Let env.py count the passes (plan, run, verify) and hang in the one whose file is there."""
    project.env.write_text(
        "import pathlib, time\n"
        f"_folder = pathlib.Path({str(folder)!r})\n"
        "_pass = len(list(_folder.glob('pass-*'))) + 1\n"
        "(_folder / f'pass-{_pass}').touch()\n"
        "while (_folder / f'hang-{_pass}').exists(): time.sleep(0.02)\n" + project.env.read_text()
    )
    return project


@pytest.mark.parametrize("mode", Mode)
def test_a_plan_is_stopped_at_once(tmp_path, database, mode):
    project = counting_passes(from_template(tmp_path / "project").tables("a1"), tmp_path)
    (tmp_path / "hang-1").touch()
    request = request_for(database_request(), mode=mode, grace_seconds=600)
    running = start(project, request, {"main": database.url()})
    wait_until((tmp_path / "pass-1").exists, what="the plan")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.failure is None
    assert "the next run looks where the database is, and goes on there" in run.stderr
    assert database.tables() == set()


def test_a_last_look_that_hangs_is_ended_and_nothing_is_called_a_success(tmp_path, database):
    project = counting_passes(from_template(tmp_path / "project").tables("a1"), tmp_path)
    (tmp_path / "hang-3").touch()
    # A driver that libpq cannot stand in for.
    running = start(project, quick(), {"main": database.url("pg8000")})
    wait_until((tmp_path / "pass-3").exists, what="the last look")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.notice == (
        "The last look at the database was cut short, so what is applied was not confirmed."
    )
    again = migrate(project, database.url())
    assert again.result.outcome is Outcome.SUCCEEDED
    assert again.result.applied_count == 0


def test_a_run_that_waits_for_a_table_lock_stops_without_a_failure(tmp_path, ledger):
    project = (
        from_template(tmp_path).tables("a1").revision("a2", "op.execute('ALTER TABLE ledger ADD a int')")
    )
    blocker = ledger.connect(autocommit=False)
    blocker.execute("LOCK TABLE ledger")
    running = start(project, request_for(database_request()), {"main": ledger.url()})
    wait_until(lambda: ledger.scalar(WAITS_FOR_A_LOCK, ("ALTER%",)), what="the wait for the table")
    running.terminate()
    run = running.finish()
    blocker.rollback()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert migrate(project, ledger.url()).result.to_revision == ("a2",)


def test_a_run_that_pauses_before_it_tries_a_lock_again_stops_without_a_failure(tmp_path, ledger):
    project = from_template(tmp_path).revision("a1", "op.execute('ALTER TABLE ledger ADD a int')")
    blocker = ledger.connect(autocommit=False)
    blocker.execute("LOCK TABLE ledger")
    request = request_for(database_request(), lock_timeout_seconds=1)
    running = start(project, request, {"main": ledger.url()})
    running.wait_for(PassRetried)
    running.terminate()
    run = running.finish()
    blocker.rollback()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.pending_count == 1
    assert migrate(project, ledger.url()).result.applied == ("a1",)


def test_a_loop_in_a_revision_is_interrupted_and_may_clean_up(tmp_path, database):
    begun, cleaned = tmp_path / "begun", tmp_path / "cleaned"
    project = from_template(tmp_path / "project").revision(
        "a1",
        f"""
        import pathlib
        try:
            while True: pathlib.Path({str(begun)!r}).touch()
        finally:
            pathlib.Path({str(cleaned)!r}).touch()
        """,
    )
    running = start(project, request_for(database_request(), grace_seconds=600), {"main": database.url()})
    wait_until(begun.exists, what="the loop")
    running.terminate()
    # Of two equal signals at once the kernel may deliver one.
    running.terminate(signal.SIGINT)
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert cleaned.exists()


def test_code_that_cannot_be_interrupted_is_killed_and_that_is_a_stop(tmp_path, ledger):
    project = from_template(tmp_path).tables("a1")
    project.revision("a2", f"op.execute(\"INSERT INTO ledger VALUES ('a2')\")\n{HOLDS_THE_GIL}")
    running = start(project, quick(), {"main": ledger.url()})
    running.wait_for(RevisionStarted, revision="a2")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert entries(ledger) == []


PART = "with op.get_context().autocommit_block():\n    op.execute('CREATE TABLE part ()')\n"


def test_a_stop_by_the_kill_names_what_was_committed_before(tmp_path, database):
    project = from_template(tmp_path).revision("a1", PART + HOLDS_THE_GIL)
    running = start(project, quick(), {"main": database.url()})
    running.wait_for(RevisionStarted, revision="a1")
    wait_until(lambda: "part" in database.tables(), what="the part")
    running.terminate()
    run = running.finish()
    assert run.result.failure.name == "PartiallyApplied", run.stderr
    assert "still there: CREATE TABLE part" in run.result.failure.message


def test_a_pass_that_is_killed_for_memory_names_what_was_committed_before(tmp_path, database):
    project = from_template(tmp_path).revision("a1", f"{PART}op.execute('SELECT pg_sleep(600)')")
    running = start(project, quick(), {"main": database.url()})
    wait_until(lambda: database.scalar(IS_ACTIVE, ("SELECT pg_sleep%",)), what="the statement")
    os.kill(child_of(running), signal.SIGKILL)
    run = running.finish()
    assert run.result.failure.name == "PartiallyApplied", run.stderr
    assert "still there: CREATE TABLE part" in run.result.failure.message
    assert "memory" in run.result.failure.message


def test_a_pass_that_is_killed_for_memory_leaves_nothing_of_a_transaction(tmp_path, ledger):
    project = from_template(tmp_path).tables("a1")
    project.revision(
        "a2", "op.execute(\"INSERT INTO ledger VALUES ('a2')\")\nop.execute('SELECT pg_sleep(600)')"
    )
    running = start(project, quick(), {"main": ledger.url()})
    wait_until(lambda: ledger.scalar(IS_ACTIVE, ("SELECT pg_sleep%",)), what="the statement")
    os.kill(child_of(running), signal.SIGKILL)
    run = running.finish()
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert "memory" in run.result.failure.message
    assert run.result.to_revision == ("a1",)
    assert entries(ledger) == []


BUILD = """
with op.get_context().autocommit_block():
    op.create_index('ledger_entry', 'ledger', ['entry'], postgresql_concurrently=True)
"""


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_an_index_build_that_is_cut_off_is_named_and_the_next_run_heals_it(tmp_path, ledger, end):
    project = from_template(tmp_path).tables("a1").revision("a2", BUILD)
    writer = ledger.connect(autocommit=False)
    writer.execute("INSERT INTO ledger VALUES ('open')")
    running = start(project, quick(), {"main": ledger.url()})
    wait_until(
        lambda: ledger.scalar(WAITS_FOR_A_LOCK, ("CREATE INDEX%",)), what="the build to wait for the writer"
    )
    if end == "stopped":
        running.terminate()
        run = running.finish()
        assert run.exit_code == ExitCode.STOPPED, run.stderr
        assert "left invalid: public.ledger_entry; the next run builds that index again" in run.result.notice
        assert run.result.notice in run.stderr
    else:
        kill_all(running)
        wait_until(lambda: not ledger.scalar(IS_ACTIVE, ("CREATE INDEX%",)), what="the end of the orphan")
    assert ledger.scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1
    writer.rollback()
    again = migrate(project, ledger.url())
    assert again.result.to_revision == ("a2",), again.stderr
    assert ledger.scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def long_the_first_time(folder, template, statement):
    """A revision that writes into the ledger and then runs a long statement, but only once."""
    project = from_template(folder, template).tables("a1")
    project.revision(
        "a2",
        f"""
        import pathlib
        op.execute("INSERT INTO ledger VALUES ('a2')")
        marker = pathlib.Path({str(folder / "was-here")!r})
        if not marker.exists():
            marker.touch()
            {statement}
        """,
    )
    return project


@pytest.mark.parametrize(("driver", "template"), DRIVERS.values(), ids=DRIVERS)
def test_when_everything_is_killed_the_server_ends_the_orphan_and_the_next_run_does_it_once(
    tmp_path, ledger, driver, template
):
    project = long_the_first_time(tmp_path, template, "op.execute('SELECT pg_sleep(600)')")
    running = start(project, request_for(database_request()), {"main": ledger.url(driver)})
    wait_until(lambda: ledger.scalar(IS_ACTIVE, ("%pg_sleep(600)%",)), what="the statement")
    kill_all(running)
    run = migrate(project, ledger.url(driver))
    assert run.result.outcome is Outcome.SUCCEEDED, run.stderr
    assert run.result.applied == ("a2",)
    assert entries(ledger) == ["a2"]


def test_without_the_servers_check_the_next_run_waits_for_the_end_of_the_orphans_statement(tmp_path, ledger):
    statement = "op.execute('SET client_connection_check_interval = 0'); op.execute('SELECT pg_sleep(8)')"
    project = long_the_first_time(tmp_path, "generic", statement)
    running = start(project, request_for(database_request()), {"main": ledger.url()})
    wait_until(lambda: ledger.scalar(IS_ACTIVE, ("%pg_sleep(8)%",)), what="the statement")
    kill_all(running)
    again = start(project, request_for(database_request()), {"main": ledger.url()})
    again.wait_for(LockAwaited)
    assert ledger.scalar(IS_ACTIVE, ("%pg_sleep(8)%",)), "the orphan was to outlive its client"
    run = again.finish()
    assert run.result.applied == ("a2",), run.stderr
    assert entries(ledger) == ["a2"]
