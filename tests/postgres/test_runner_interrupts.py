"""Stopping: at a safe point when asked, by cancelling when time runs out, never leaving an orphan or a half truth."""

from __future__ import annotations

import json
import signal

import pytest

from headway_contract.control import Control
from headway_contract.events import LockAwaited, RevisionStarted, Stopping
from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

BUSY = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE query LIKE '%{what}%' AND state = 'active' AND pid <> pg_backend_pid()"
)
DRIVERS = {
    "psycopg": ("psycopg", "generic"),
    "psycopg, asynchronous": ("psycopg", "async"),
    "psycopg2": ("psycopg2", "generic"),
    "asyncpg": ("asyncpg", "async"),
    "pg8000": ("pg8000", "generic"),
}
"""The name in the URL, and the template of Alembic that uses it."""


def is_running(database, what):
    return bool(database.scalar(BUSY.format(what=what)))


def sleeping(folder, template="generic", seconds=60, before=""):
    project = from_template(folder, template).tables("a1")
    return project.revision("a2", f"{before}\nop.execute('SELECT pg_sleep({seconds})')").tables("a3")


@pytest.mark.parametrize(("driver", "template"), DRIVERS.values(), ids=DRIVERS)
def test_sigterm_cancels_a_long_statement_before_the_grace_period_ends(tmp_path, database, driver, template):
    # Not because the server notices that the client has gone: because it was told.
    project = sleeping(tmp_path, template, before="op.execute('SET client_connection_check_interval = 0')")
    running = start(project, request_for(database_request(), grace_seconds=2), {"main": database.url(driver)})
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database, "pg_sleep"), what="the statement")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.outcome is Outcome.STOPPED
    assert run.result.failure is None
    assert run.result.to_revision == ("a1",)
    assert run.result.applied == ("a1",)
    assert run.result.pending_count == 2
    assert not is_running(database, "pg_sleep")
    assert "stopped at a1, 2 revisions to go; the next run goes on here" in run.stderr


def test_a_cancelled_revision_that_had_committed_a_part_is_a_failure(tmp_path, database):
    before = "op.execute('CREATE TABLE part ()')\nop.execute('COMMIT')"
    running = start(
        sleeping(tmp_path, before=before),
        request_for(database_request(), grace_seconds=2),
        {"main": database.url("psycopg2")},
    )
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database, "pg_sleep"), what="the statement")
    running.terminate()
    run = running.finish()
    assert run.result.failure.name == "PartiallyApplied"
    assert run.result.failure.revision == "a2"
    assert "part" in database.tables()


def test_code_that_runs_no_statement_is_interrupted_too(tmp_path, database):
    project = from_template(tmp_path).revision("a1", "import time\nfor _ in range(600): time.sleep(0.1)")
    running = start(project, request_for(database_request(), grace_seconds=8), {"main": database.url()})
    running.wait_for(RevisionStarted, revision="a1")
    running.terminate()
    running.terminate(signal.SIGINT)
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr


def test_an_env_py_that_hangs_before_any_revision_is_ended_and_that_is_a_stop(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    marker = tmp_path / "seen"
    hang = f"import pathlib, time\nseen = pathlib.Path({str(marker)!r})\n"
    hang += "if seen.exists(): pathlib.Path(str(seen) + '-again').touch(); time.sleep(60)\nseen.touch()\n"
    project.env.write_text(hang + project.env.read_text())
    running = start(project, request_for(database_request(), grace_seconds=2), {"main": database.url()})
    wait_until((tmp_path / "seen-again").exists, what="the second pass")
    marker.unlink()
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert database.tables() == set()


def test_sigterm_lets_a_short_revision_end_and_stops_before_the_next(tmp_path, database):
    gate = database.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    project = from_template(tmp_path)
    project.revision("a1", "op.execute('SELECT pg_advisory_xact_lock(1)')").tables("a2")
    # Time enough for the gate: the statement is cancelled only after 20 s.
    request = request_for(database_request(), lock_timeout_seconds=30, grace_seconds=30)
    running = start(project, request, {"main": database.url()})
    running.wait_for(RevisionStarted, revision="a1")
    running.terminate()
    running.wait_for(Stopping, control_sequence=0)
    gate.execute("SELECT pg_advisory_unlock(1)")
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert run.result.pending_count == 1


def test_the_control_file_stops_between_revisions_and_the_next_run_goes_on(tmp_path, database):
    control = tmp_path / "control"
    control.write_text("")
    gate = database.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    project = from_template(tmp_path / "project")
    project.revision("a1", "op.execute('SELECT pg_advisory_xact_lock(1)')").tables("a2")
    request = request_for(database_request(), lock_timeout_seconds=30, control_file=str(control))
    running = start(project, request, {"main": database.url()})
    running.wait_for(RevisionStarted, revision="a1")
    control.write_text('{"seq')
    control.write_text(Control(sequence=7, stop=True, reason="The specification changed.").to_json())
    running.wait_for(Stopping, control_sequence=7, reason="The specification changed.")
    gate.execute("SELECT pg_advisory_unlock(1)")
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert "2" in migrate(project, database.url()).result.to_revision[0]


def test_a_stop_that_arrives_in_the_last_revision_is_a_success(tmp_path, database):
    gate = database.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    project = from_template(tmp_path).revision("a1", "op.execute('SELECT pg_advisory_xact_lock(1)')")
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=30), {"main": database.url()}
    )
    running.wait_for(RevisionStarted, revision="a1")
    running.terminate()
    running.wait_for(Stopping)
    gate.execute("SELECT pg_advisory_unlock(1)")
    run = running.finish()
    assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
    assert run.result.to_revision == ("a1",)


def test_a_run_that_waits_for_the_migration_lock_can_be_stopped(tmp_path, database):
    quick = request_for(database_request(), grace_seconds=2)
    first = start(sleeping(tmp_path / "1"), quick, {"main": database.url()})
    first.wait_for(RevisionStarted, revision="a2")
    project = from_template(tmp_path / "2").tables("a1", "a2", "a3")
    second = start(project, request_for(database_request()), {"main": database.url()})
    second.wait_for(LockAwaited)
    second.terminate()
    run = second.finish()
    first.terminate()
    assert first.finish().exit_code == ExitCode.STOPPED
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.applied == ()


@pytest.mark.parametrize(("driver", "template"), DRIVERS.values(), ids=DRIVERS)
def test_a_killed_runner_leaves_no_migration_running(tmp_path, database, driver, template):
    project = sleeping(tmp_path, template)
    running = start(project, request_for(database_request()), {"main": database.url(driver)})
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database, "pg_sleep"), what="the statement")
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not is_running(database, "pg_sleep"), what="the end of the orphan")
    wait_until(
        lambda: database.scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0,
        what="the release of the lock",
    )
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


def test_heartbeats_go_on_while_a_statement_runs(tmp_path, database):
    from headway_contract.events import Heartbeat

    request = request_for(database_request(), heartbeat_seconds=1, grace_seconds=2)
    running = start(sleeping(tmp_path), request, {"main": database.url()})
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: sum(isinstance(one, Heartbeat) for one in running.events()) > 1, what="heartbeats")
    running.terminate()
    run = running.finish()
    numbers = [json.loads(line.split(" ", 1)[1])["sequence"] for line in run.stdout.splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
