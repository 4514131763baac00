"""SQLite's two locks: the server's own, which is waited for and tried again, and the file that keeps runs apart."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from headway_contract.events import PassRetried, RevisionApplied
from headway_runner.locks import lock
from headway_runner.locks.lock import SqliteLock, lock_path
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.db"


@pytest.mark.parametrize("number", [2, 10])
def test_of_runners_at_once_exactly_one_applies_and_no_lock_file_is_left(tmp_path, file, number):
    project = from_template(tmp_path / "project").tables("a1", "a2")
    url = f"sqlite:///{file}"
    runs = [start(project, request_for(database_request()), {"main": url}) for _ in range(number)]
    runs = [run.finish() for run in runs]
    assert [run.exit_code for run in runs] == [0] * number, "\n".join(run.stderr for run in runs)
    assert sorted(event.revision for run in runs for event in run.of(RevisionApplied)) == ["a1", "a2"]
    assert {path.name for path in tmp_path.iterdir()} == {"project", "app.db"}


def test_a_database_that_another_process_writes_is_tried_again(tmp_path, file):
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("CREATE TABLE busy (id int)")
    writer.execute("BEGIN IMMEDIATE")
    project = from_template(tmp_path / "project").tables("a1")
    request = request_for(database_request(), lock_timeout_seconds=1)
    running = start(project, request, {"main": f"sqlite:///{file}"})
    running.wait_for(PassRetried)
    writer.execute("ROLLBACK")
    run = running.finish()
    writer.close()
    assert run.exit_code == 0, run.stderr
    reason = run.of(PassRetried)[0].reason
    assert "database is locked" in reason
    assert "This kind of database does not tell who blocks" in reason


def test_the_time_that_a_statement_waits_is_ours_unless_the_application_has_chosen_its_own(tmp_path, file):
    project = from_template(tmp_path / "project").revision(
        "a1",
        "op.execute(f\"CREATE TABLE t_{op.get_bind().exec_driver_sql('PRAGMA busy_timeout').scalar()} (a int)\")",
    )
    assert migrate(project, f"sqlite:///{file}").exit_code == 0
    assert migrate(project, f"sqlite:///{tmp_path}/own.db?timeout=30").exit_code == 0
    for name, table in ((file, "t_2000"), (tmp_path / "own.db", "t_30000")):
        connection = sqlite3.connect(name)
        assert (table,) in connection.execute("SELECT name FROM sqlite_master").fetchall()
        connection.close()


def test_one_file_has_one_lock_however_its_url_is_written(tmp_path, file):
    project = from_template(tmp_path / "project").tables("a1")
    (tmp_path / "link.db").symlink_to(file)
    held = SqliteLock(str(file))
    assert held.try_to_take()
    for url in (f"sqlite:///file:{file}?uri=true", "sqlite:///../app.db", f"sqlite:///{tmp_path}/link.db"):
        run = migrate(project, url, options={"lock_give_up_seconds": 1})
        assert run.result.failure.name == "LockHeld", (url, run.stderr)
        assert f"It is held by process {os.getpid()} on " in run.result.failure.message
    held.release()


def test_a_database_in_memory_needs_no_lock(tmp_path):
    run = migrate(from_template(tmp_path).tables("a1"), "sqlite://")
    assert run.result.failure.name == "NotPersisted"


def test_what_a_killed_run_left_is_no_lock(tmp_path, file):
    code = (
        "import os, sys; sys.path.insert(0, 'operator'); from headway_runner.locks.lock import SqliteLock; "
        f"assert SqliteLock({str(file)!r}).try_to_take(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert Path(lock_path(str(file))).exists()
    assert migrate(from_template(tmp_path / "project").tables("a1"), f"sqlite:///{file}").exit_code == 0
    assert not Path(lock_path(str(file))).exists()


def test_two_locks_on_a_file_that_its_last_holder_removes_are_never_both_held(file):
    first, second = SqliteLock(str(file)), SqliteLock(str(file))
    assert first.try_to_take()
    assert not second.try_to_take()
    first.release()
    assert second.try_to_take()
    assert not first.try_to_take()
    second.release()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(file, monkeypatch):
    first, second = SqliteLock(str(file)), SqliteLock(str(file))
    assert first.try_to_take()
    opened = lock._open

    def open_before_the_holder_leaves(path):
        found = opened(path)
        first.release()
        return found

    monkeypatch.setattr(lock, "_open", open_before_the_holder_leaves)
    assert not second.try_to_take()


def test_where_the_folder_may_not_be_written_the_lock_is_in_the_folder_for_temporary_files(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda *_: False)
    one, other = SqliteLock(str(tmp_path / "app.db")), SqliteLock(str(tmp_path / "app.db"))
    assert not lock_path(str(tmp_path / "app.db")).startswith(str(tmp_path))
    assert one.try_to_take()
    assert not other.try_to_take()
    one.release()


LOOKS_AT_THE_LOCK = """
    import subprocess, sys
    from alembic import context
    from sqlalchemy import create_engine

    def note():
        with open("seen", "a") as seen:
            subprocess.run([sys.executable, "-c", {probe!r}], stdout=seen, check=True)

    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    with engine.begin() as connection:
        for table in ("alembic_version", "another_version"):
            context.configure(connection=connection, version_table=table)
            context.run_migrations()
        note()
    note()
"""
PROBE = """
import sys; sys.path.insert(0, {operator!r})
from headway_runner.locks.lock import SqliteLock
lock = SqliteLock({file!r})
taken = lock.try_to_take()
if taken:
    lock.release()
print("free" if taken else "held")
"""


def test_the_lock_is_kept_until_env_py_has_committed_its_own_transaction(tmp_path, file):
    """Both contexts are of one process, which does not wait for itself. The looks before and after take no lock."""
    probe = PROBE.format(operator=str(Path("operator").resolve()), file=str(file))
    project = from_template(tmp_path / "project").revision("a1", "op.execute('SELECT 1')")
    project.write_env(LOOKS_AT_THE_LOCK.format(probe=probe))
    run = migrate(project, f"sqlite:///{file}", options={"lock_give_up_seconds": 1})
    assert run.exit_code == 0, run.stderr
    assert (project.folder / "seen").read_text().split() == ["free"] * 2 + ["held", "free"] + ["free"] * 2
    assert not Path(lock_path(str(file))).exists()


GOES_ON_AFTER_A_FAILURE = """
    from alembic import context
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    URL = context.config.get_main_option("sqlalchemy.url")
    engines = []
    for table in ("alembic_version", "another_version", "alembic_version"):
        engines.append(create_engine(URL))
        try:
            with engines[-1].{begin}() as connection:
                context.configure(connection=connection, version_table=table)
                with context.begin_transaction():
                    context.run_migrations()
        except OperationalError:
            with engines[0].begin() as connection:
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS late (id int)")
"""


@pytest.mark.parametrize("begin", ["connect", "begin"])
def test_an_env_py_that_goes_on_after_a_failure_does_not_wait_for_its_own_lock(tmp_path, file, begin):
    project = from_template(tmp_path / "project").revision("a1", "op.execute('INSERT INTO late VALUES (1)')")
    project.write_env(GOES_ON_AFTER_A_FAILURE.format(begin=begin))
    run = migrate(project, f"sqlite:///{file}", options={"lock_give_up_seconds": 1})
    assert run.exit_code == 0, run.stderr
    assert (run.kinds().count("LockAcquired"), run.kinds().count("LockAwaited")) == (3, 0)
    assert not Path(lock_path(str(file))).exists()
