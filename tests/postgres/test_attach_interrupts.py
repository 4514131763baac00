"""An application's own command under the lock, stopped, cancelled and killed: as without a command."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from headway_contract.events import LockAwaited, RevisionApplied, RevisionStarted, Stopping
from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from support.commands import ENV, admin, application, attach, script, start_attached
from support.waiting import wait_until

ASYNC_ENV = """
    import asyncio
    import os
    from alembic import context
    from sqlalchemy.ext.asyncio import create_async_engine

    def migrate(connection):
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        engine = create_async_engine(os.environ["DATABASE_URL"])
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()

    asyncio.run(main())
"""
BUSY = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE query LIKE '%{what}%' AND state = 'active' AND pid <> pg_backend_pid()"
)


def is_running(database, what="pg_sleep"):
    return bool(database.scalar(BUSY.format(what=what)))


def sleeping(folder, driver="psycopg"):
    project = application(folder, ASYNC_ENV if driver == "asyncpg" else ENV).tables("a1")
    return project.revision("a2", "op.execute('SELECT pg_sleep(120)')").tables("a3")


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_sigterm_cancels_a_long_statement(tmp_path, database, driver):
    project = sleeping(tmp_path, driver)
    running = start_attached(project, database.url(driver), admin(project), {"grace_seconds": 60})
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database), what="the statement")
    running.terminate()
    running.wait_for(Stopping)
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.failure is None
    assert run.result.applied == run.result.to_revision == ("a1",)
    assert run.result.pending_count == 2
    assert not is_running(database)


def test_sigterm_lets_a_short_revision_end_and_starts_neither_the_next_nor_the_next_alembic(
    tmp_path, database
):
    gate = database.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    project = application(tmp_path)
    project.revision("a1", "op.execute('SELECT pg_advisory_xact_lock(1)')").tables("a2", "a3")
    command = script(project, "alembic upgrade a2 && alembic upgrade a3")
    running = start_attached(
        project, database.url(), command, {"lock_timeout_seconds": 60, "grace_seconds": 60}
    )
    running.wait_for(RevisionStarted, revision="a1")
    running.terminate()
    running.wait_for(Stopping)
    gate.execute("SELECT pg_advisory_unlock(1)")
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert run.result.pending_count == 2
    assert attach(project, database.url(), command).result.to_revision == ("a3",)


def test_code_that_runs_no_statement_is_interrupted_too(tmp_path, database):
    project = application(tmp_path).revision("a1", "import time\nfor _ in range(6000): time.sleep(0.1)")
    running = start_attached(project, database.url(), admin(project), {"grace_seconds": 8})
    running.wait_for(RevisionStarted, revision="a1")
    running.terminate()
    running.terminate(signal.SIGINT)
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr


@pytest.mark.parametrize("passes", [0, 1])
def test_a_command_that_hangs_before_alembic_is_ended_with_all_that_it_started(tmp_path, database, passes):
    """In the look (0) and in the run (1)."""
    project = application(tmp_path / "app").tables("a1")
    marks = tmp_path / "marks"
    marks.mkdir()
    hang = f"""
    import os, pathlib, time
    seen = pathlib.Path({str(marks)!r})
    (seen / str(os.getpid())).touch()
    if len(list(seen.iterdir())) == {passes + 1}: time.sleep(600)
    command.upgrade(config, 'heads')
    """
    admin(project, hang)
    command = script(project, f"{sys.executable} admin.py\nexit 0")
    running = start_attached(project, database.url(), command, {"grace_seconds": 2})
    wait_until(lambda: len(list(marks.iterdir())) == passes + 1, what="the pass that hangs")
    hanging = max(marks.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    running.terminate()
    # The look after the run is not to hang.
    (marks / "another").touch()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert database.tables() == set()
    wait_until(lambda: not is_alive(int(hanging.name)), what="the end of the hanging process")


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_a_killed_runner_leaves_no_migration_running(tmp_path, database, driver):
    project = sleeping(tmp_path, driver)
    running = start_attached(project, database.url(driver), admin(project))
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database), what="the statement")
    running.process.kill()
    running.process.wait()
    wait_until(lambda: not is_running(database), what="the end of the orphan")
    wait_until(
        lambda: database.scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0,
        what="the release of the lock",
    )
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


def test_a_process_between_runner_and_command_that_is_killed_takes_the_command_with_it(tmp_path, database):
    project = sleeping(tmp_path)
    running = start_attached(project, database.url(), admin(project))
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: is_running(database), what="the statement")
    (between,) = children_of(running.process.pid)
    os.kill(between, signal.SIGKILL)
    run = running.finish()
    assert run.result.failure.name == "Unexpected", run.stderr
    assert "signal 9" in run.result.failure.message
    assert run.result.failure.revision == "a2"
    wait_until(lambda: not is_running(database), what="the end of the orphan")
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


def children_of(process):
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    return [child for child, parent in parents.items() if parent == process]


def test_a_run_waits_for_the_lock_of_another_and_can_be_stopped(tmp_path, database):
    busy = sleeping(tmp_path / "1")
    first = start_attached(busy, database.url(), admin(busy), {"grace_seconds": 2})
    first.wait_for(RevisionStarted, revision="a2")
    project = application(tmp_path / "2").tables("a1", "a2", "a3")
    second = start_attached(project, database.url(), admin(project))
    second.wait_for(LockAwaited)
    second.terminate()
    run = second.finish()
    first.terminate()
    assert first.finish().exit_code == ExitCode.STOPPED
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.applied == ()


def test_a_lock_that_is_held_too_long_is_told(tmp_path, database):
    project = sleeping(tmp_path / "1")
    first = start_attached(project, database.url(), admin(project), {"grace_seconds": 2})
    first.wait_for(RevisionStarted, revision="a2")
    other = application(tmp_path / "2").tables("a1", "a2", "a3")
    run = attach(other, database.url(), admin(other), {"lock_give_up_seconds": 1})
    first.terminate()
    first.finish()
    assert run.result.failure.name == "LockHeld", run.stderr


def test_of_two_at_once_exactly_one_applies(tmp_path, database):
    gate = database.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    projects = [application(tmp_path / name) for name in ("1", "2")]
    for project in projects:
        project.revision("a1", "op.execute('SELECT pg_advisory_xact_lock(1)')").tables("a2")
    both = [
        start_attached(project, database.url(), admin(project), {"lock_timeout_seconds": 60})
        for project in projects
    ]
    wait_until(lambda: any(waits(one) for one in both), what="one that waits for the other")
    gate.execute("SELECT pg_advisory_unlock(1)")
    runs = [one.finish() for one in both]
    assert [run.result.outcome for run in runs] == [Outcome.SUCCEEDED] * 2, [run.stderr for run in runs]
    assert sorted(len(run.of(RevisionApplied)) for run in runs) == [0, 2]


def waits(running):
    return any(isinstance(event, LockAwaited) for event in running.events())
