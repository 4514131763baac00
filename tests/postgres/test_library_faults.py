"""What goes wrong on a real server leaves a backfill complete, each row changed once, or a sentence and a way on."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace

import psycopg
import pytest

from headway_contract.events import BackfillStarted
from headway_contract.result import Outcome
from support.kills.judged import HEADWAY
from support.kills.proxy import Proxy
from support.kills.victim import AFTER_COMMIT, AFTER_STATEMENT, BEFORE_COMMIT, STATEMENT_SENT, Moment
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

MOVING = ("striped-done-predicate", "striped-sync-trigger", "keyset-bigint", "exactly-once")
IN_THE_MIDDLE = Moment(AFTER_COMMIT, 3)
FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE UPDATE ON headway_backfill FOR EACH ROW EXECUTE FUNCTION full_disk()
"""
SLOW = """
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
    CREATE TRIGGER slowly BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION slowly()
"""
"""Each row takes its time."""
NO_WAIT = "from headway.backfills import claim\nclaim.WAIT_SECONDS = 0.0"
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
SESSIONS = f"SELECT count(*) {OTHERS}"
WAITS = f"SELECT count(*) {OTHERS} AND wait_event_type = 'Lock'"


@pytest.fixture
def stage(stage_of):
    return stage_of("exactly-once", HEADWAY)


def complete(stage, database, run):
    assert run.end() == 0, run.words()
    assert stage.wrong(database) == {}


def is_begun(database):
    """Some rows are done and written down."""
    try:
        ((rows, is_complete),) = database.rows(HEADWAY.checkpoint) or ((0, False),)
    except psycopg.errors.UndefinedTable:
        return False
    return rows and not is_complete


def test_a_snapshot_that_is_held_all_the_time_costs_room_and_nothing_else(stage_of):
    stage = stage_of("striped-done-predicate", HEADWAY)
    database = stage.make_database()
    old = database.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT count(*) FROM items")
    complete(stage, database, stage.start(database))
    assert old.execute("SELECT count(target) FROM items").fetchone() == (0,)


def test_a_snapshot_that_is_taken_in_the_middle_changes_nothing(stage_of):
    stage = stage_of("striped-done-predicate", HEADWAY)
    database = stage.make_database()
    run = stage.start(database, IN_THE_MIDDLE).reach()
    old = database.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    (seen,) = old.execute("SELECT count(target) FROM items").fetchone()
    run.go_on()
    complete(stage, database, run)
    assert old.execute("SELECT count(target) FROM items").fetchone() == (seen,)
    assert 0 < seen < stage.scene.rows


@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
@pytest.mark.parametrize("scene", MOVING)
def test_vacuum_full_in_the_middle_moves_every_row_and_none_is_missed(stage_of, scene, killed):
    stage = stage_of(scene, HEADWAY)
    database = stage.make_database()
    run = stage.start(database, IN_THE_MIDDLE).reach()
    before = database.scalar("SELECT pg_relation_filenode('items')")
    if killed:
        run.kill()
    database.execute("VACUUM FULL items")
    assert database.scalar("SELECT pg_relation_filenode('items')") != before
    if killed:
        run = stage.start(database)
    else:
        run.go_on()
    complete(stage, database, run)


def test_a_batch_that_the_server_chose_as_the_victim_of_a_deadlock_is_done_again(stage):
    """Another session has the row of the checkpoint and waits for one of the batch, which it never gives up."""
    database = stage.make_database()
    database.execute(f"ALTER DATABASE \"{database.name}\" SET deadlock_timeout = '10ms'")
    run = stage.start(database, Moment(AFTER_STATEMENT, 4)).reach()
    other = database.connect(autocommit=False)
    other.execute("SET deadlock_timeout = '1h'")
    other.execute("SELECT * FROM headway_backfill FOR UPDATE")
    next_row = "(SELECT min(id) FROM items WHERE balance = 0)"
    update = f"UPDATE items SET bumps = 1, balance = balance + 1000 WHERE id = {next_row}"
    waiting = threading.Thread(target=lambda: (other.execute(update), other.commit()))
    waiting.start()
    wait_until(lambda: database.scalar(WAITS), what="the other session to wait for the batch")
    run.go_on()
    complete(stage, database, run)
    waiting.join(30)
    assert database.scalar("SELECT count(*) FROM items WHERE bumps = 1") == 1
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert wait_until(lambda: database.scalar(deadlocks), what="the server's count of deadlocks") == 1


def test_a_row_that_somebody_holds_is_waited_for_and_done_when_it_is_free(stage):
    database = stage.make_database()
    run = stage.start(database, IN_THE_MIDDLE).reach()
    holder = database.connect(autocommit=False)
    ((row,),) = database.rows("SELECT id FROM items WHERE balance = 0 ORDER BY id LIMIT 1")
    holder.execute("UPDATE items SET bumps = 1, balance = balance + 1000 WHERE id = %s", [row])
    run.go_on()
    wait_until(lambda: database.scalar(WAITS), what="the batch to wait")
    holder.commit()
    complete(stage, database, run)


def test_a_statement_that_takes_too_long_is_done_again_in_smaller_batches(stage):
    """Cancelled by somebody, which is told with the code of `statement_timeout`."""
    database = stage.make_database()
    database.execute("DELETE FROM items WHERE id > 4500")
    database.execute(SLOW.format(seconds=0.001))
    run = stage.start(database, Moment(STATEMENT_SENT, 2)).reach()
    cancel = f"SELECT pg_cancel_backend(pid) {OTHERS} AND wait_event = 'PgSleep'"
    assert wait_until(lambda: database.rows(cancel), what="the statement") == [(True,)]
    complete(stage, database, run)


@pytest.mark.parametrize("moment", [AFTER_STATEMENT, BEFORE_COMMIT])
def test_a_session_that_is_ended_before_its_commit_leaves_nothing_and_the_batch_is_done_again(stage, moment):
    database = stage.make_database()
    run = stage.start(database, Moment(moment, 3)).reach()
    ended = database.rows(
        f"SELECT pg_terminate_backend(pid, 5000) {OTHERS} AND state = 'idle in transaction'"
    )
    assert ended == [(True,)]
    run.go_on()
    complete(stage, database, run)


def test_a_commit_whose_answer_is_lost_is_not_done_again(stage):
    database = stage.make_database()
    with Proxy(database.address) as proxy:
        through = proxy.address.replace("postgresql://", "postgresql+psycopg://")
        run = stage.start(database, Moment(BEFORE_COMMIT, 3), through).reach()
        proxy.lose_the_answer_to(b"COMMIT")
        run.go_on()
        complete(stage, database, run)
        assert proxy.has_lost.is_set()


def test_a_server_that_ends_all_sessions_is_gone_on_with_by_the_next_run(stage):
    """The migration's own connection is among them: Alembic cannot write its version."""
    database = stage.make_database()
    run = stage.start(database, IN_THE_MIDDLE).reach()
    assert len(database.rows(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")) >= 2
    run.go_on()
    assert run.end() != 0
    complete(stage, database, stage.start(database))


@pytest.mark.parametrize("moment", [IN_THE_MIDDLE, Moment(BEFORE_COMMIT, 3)], ids=str)
def test_a_second_runner_does_not_disturb_the_first_and_changes_no_row_twice(stage, moment):
    database = stage.make_database()
    first = stage.start(database, moment).reach()
    second = stage.start(database)
    wait_until(lambda: int(str(database.scalar(SESSIONS))) > 3, what="the second one to be there")
    second.listen(1.0)
    assert second.update is None
    first.go_on()
    assert first.end() == 0, first.words()
    # Where the second one comes too late for the version's row, plain Alembic fails; it has a lock nowhere.
    assert second.end() == 0 or "alembic_version" in second.words()
    assert stage.wrong(database) == {}


def test_a_runner_that_was_silent_for_too_long_is_taken_over_and_commits_nothing_more(stage):
    database = stage.make_database()
    silent = stage.start(database, IN_THE_MIDDLE).reach()
    database.execute("UPDATE headway_backfill SET updated_at = updated_at - interval '1 hour'")
    other = stage.start(database, IN_THE_MIDDLE).reach()
    silent.go_on()
    assert silent.end() != 0
    assert "taken over" in silent.words()
    other.go_on()
    complete(stage, database, other)


def test_a_runner_that_lost_its_session_and_its_place_to_another_one_changes_nothing_more(stage):
    database = stage.make_database()
    first = stage.start(database, Moment(BEFORE_COMMIT, 3)).reach()
    ended = database.rows(
        f"SELECT pg_terminate_backend(pid, 5000) {OTHERS} AND state = 'idle in transaction'"
    )
    assert ended == [(True,)]
    second = stage.start(database, IN_THE_MIDDLE).reach()
    first.go_on()
    assert first.end() != 0
    assert "taken over" in first.words()
    second.go_on()
    complete(stage, database, second)


def test_a_full_disk_under_the_checkpoint_takes_the_batch_back_and_is_gone_on_with(stage):
    database = stage.make_database()
    run = stage.start(database, IN_THE_MIDDLE).reach()
    done = database.scalar("SELECT count(*) FROM items WHERE balance = 1")
    database.execute(FULL)
    run.go_on()
    wait_until(
        lambda: run.listen(0.1) or run.process.exitcode is not None or "53100" in run.words(), timeout=60
    )
    assert database.scalar("SELECT count(*) FROM items WHERE balance = 1") == done
    database.execute("DROP TRIGGER full_disk ON headway_backfill")
    complete(stage, database, stage.start(database))


def test_what_plain_alembic_began_the_runner_ends(stage):
    database = stage.make_database()
    stage.start(database, IN_THE_MIDDLE).reach().kill()
    assert is_begun(database)
    assert migrate(stage.project, database.url()).result.outcome is Outcome.SUCCEEDED
    assert stage.wrong(database) == {}


def kill_the_runner_in_the_middle(stage, database):
    """SIGKILL for the runner alone: its pass ends with it."""
    database.execute("DELETE FROM items WHERE id > 9000")
    database.execute(SLOW.format(seconds=0.0002))
    runner = start(stage.project, request_for(database_request()), {"main": database.url()})
    wait_until(lambda: is_begun(database), what="the runner to begin")
    runner.terminate(signal.SIGKILL)
    runner.process.wait(30)
    assert is_begun(database)


def test_what_the_runner_began_plain_alembic_ends(stage):
    database = stage.make_database()
    kill_the_runner_in_the_middle(stage, database)
    complete(stage, database, stage.start(database))


def test_what_the_runner_began_the_runner_goes_on_with_at_once_where_its_checkpoint_stood(stage_of):
    """Here a wait for the session that was killed would be a failure."""
    stage = stage_of("exactly-once", replace(HEADWAY, origin=f"{HEADWAY.origin}\n{NO_WAIT}"))
    database = stage.make_database()
    kill_the_runner_in_the_middle(stage, database)
    wait_until(lambda: not database.scalar(SESSIONS), what="the end of its sessions")
    database.execute("DROP TRIGGER slowly ON items")
    ((done, _),) = database.rows(HEADWAY.checkpoint)
    again = migrate(stage.project, database.url())
    assert again.result.outcome is Outcome.SUCCEEDED, again.stderr
    assert [one.rows_done for one in again.of(BackfillStarted)] == [done]
    assert 0 < done < database.scalar("SELECT count(*) FROM items")
    assert stage.wrong(database) == {}


def test_a_runner_that_starts_while_the_sessions_of_a_killed_one_end_goes_on_in_its_first_attempt(stage):
    database = stage.make_database()
    kill_the_runner_in_the_middle(stage, database)
    again = migrate(stage.project, database.url())
    assert again.result.outcome is Outcome.SUCCEEDED, again.stderr
    (started,) = again.of(BackfillStarted)
    assert 0 < started.rows_done < database.scalar("SELECT count(*) FROM items")
    assert stage.wrong(database) == {}


def test_a_table_without_a_key_is_refused_where_rows_could_be_changed_twice(stage):
    database = stage.make_database()
    database.execute("ALTER TABLE items DROP CONSTRAINT items_pkey")
    run = stage.start(database)
    assert run.end() != 0
    assert "items has no primary key" in run.words()
    assert database.scalar("SELECT count(*) FROM items WHERE balance <> 0") == 0


def test_the_memory_of_a_run_does_not_grow_with_the_table(stage_of):
    stage = stage_of("striped-done-predicate", HEADWAY)
    peaks = []
    for rows in (stage.scene.rows, 20 * stage.scene.rows):
        database = stage.make_database()
        database.execute(
            f"INSERT INTO items (id, source, pad) SELECT -n, n, repeat('x', 90) FROM generate_series(1, {rows}) AS n"
        )
        peaks.append(peak_megabytes(stage, database))
        assert stage.wrong(database) == {}
    assert peaks[1] - peaks[0] < 5.0, peaks


def peak_megabytes(stage, database):
    """Of a whole process of its own, by the kernel's account."""
    script = (
        "import re, sys; from pathlib import Path; from alembic.config import main\n"
        "main(argv=['-c', sys.argv[1], 'upgrade', 'head'])\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    config = stage.project.configured(database.url(), "memory")
    done = subprocess.run(
        [sys.executable, "-c", script, str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]) / 1024
