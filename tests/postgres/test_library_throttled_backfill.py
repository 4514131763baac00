"""A backfill that is held: on a primary whose real standby lags, by a query, by a session that waits for it."""

from __future__ import annotations

import pytest

from headway import backfill
from headway.backfills.sizes import FEWEST_ROWS
from headway.pace import FAST
from headway.throttle.look import WrongQuery
from support.revisions import Told, run
from support.threaded_backfill import LOWER, Backfill
from support.waiting import wait_until

ROWS = 30_000
TABLE = f"""
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, email_lc text);
    INSERT INTO users SELECT i, 'User' || i || '@X' FROM generate_series(1, {ROWS}) i;
    CREATE TABLE noise (n int);
    ANALYZE users
"""
BATCHES = """
    SELECT count(*) FROM users WHERE email_lc IS NOT NULL GROUP BY CAST(CAST(xmin AS text) AS bigint) ORDER BY min(id)
"""
"""Rows of each, for a batch is a transaction."""


@pytest.fixture
def begin():
    """Starts backfills; those that still run are stopped after the test."""
    begun: list[Backfill] = []

    def one(*arguments, **named) -> Backfill:
        begun.append(Backfill(*arguments, **named))
        return begun[-1]

    yield one
    for each in begun:
        each.stop()


@pytest.fixture
def replicated_users(replicas):
    database = replicas.primary.make_database("throttled")
    database.execute(TABLE)
    wait_until(replicas.is_level)
    yield database
    replicas.primary.drop(database)


def is_behind(replicas) -> object:
    """By so much that a watch, which looks twice a second, has seen it."""
    return replicas.on_primary("SELECT replay_lag > interval '1.5 s' FROM pg_stat_replication")


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_backfill_writes_nothing_while_the_standby_lags_and_goes_on_afterwards(
    replicas, replicated_users, begin, driver
):
    paused: list[bool] = []

    def pause_after_the_first_batch(kind, facts):
        if kind == "BackfillProgressed" and facts["rows_done"] and not paused:
            paused.append(True)
            replicas.pause_replay()
            wait_until(
                lambda: replicated_users.execute("INSERT INTO noise VALUES (1)") and is_behind(replicas)
            )

    told = Told(wished={"max_replica_lag_seconds": 0.2}, on_report=pause_after_the_first_batch)
    running = begin(replicated_users, driver, told, batch_rows=100)
    wait_until(lambda: paused and running.is_held("replica 127.0.0.1 is"), what="the hold")
    held_at = running.rows_done()
    assert 0 < held_at < ROWS
    wait_until(lambda: running.progress()["throttled_seconds"] >= 2.0, what="two seconds of holding")
    assert running.rows_done() == held_at
    replicas.resume_replay()
    wait_until(lambda: running.rows_done() > held_at, what="the end of the hold")
    # From here on the limit is one that a busy machine keeps.
    told.wished = {}
    record = running.finish()
    assert record["rows"] == ROWS
    assert record["throttled_seconds"] >= 2.0
    assert (
        replicated_users.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)")
        == 0
    )


@pytest.fixture
def users(database):
    database.execute(TABLE)
    return database


def test_a_query_that_gives_more_than_0_holds_from_the_first_batch_on(users, begin):
    users.execute("CREATE TABLE jobs AS SELECT 1 AS id")
    running = begin(users, signals={"waiting jobs": "SELECT count(*) FROM jobs"})
    wait_until(lambda: running.is_held("waiting jobs is 1 (goes on at 0)"))
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc IS NOT NULL") == 0
    users.execute("DELETE FROM jobs")
    assert running.finish()["rows"] == ROWS


def test_windows_that_are_closed_hold_and_say_until_when(users, begin):
    # Open for one minute that is half a day away on any clock.
    now = int(users.scalar("SELECT extract(hour FROM now() AT TIME ZONE 'UTC')"))
    hour = (now + 12) % 24
    window = {"from": f"{hour:02}:00", "to": f"{hour:02}:01", "timeZone": "UTC"}
    running = begin(users, told=Told(wished={"windows": [window]}))
    wait_until(lambda: running.is_held("outside its windows until"))
    running.told.wished = {}
    assert running.finish()["rows"] == ROWS


def test_a_session_that_waits_for_a_batch_is_seen_and_told_in_the_record(users, begin):
    """The trigger makes one batch long; another session waits for a row of it meanwhile."""
    users.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.id = 50 THEN PERFORM pg_sleep(2); END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    running = begin(users, strategy="keyset", pace=FAST)
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    # What was tried before and taken back was a long one, too.
    wait_until(lambda: running.has_begun() and users.scalar(sleeping), what="the long batch")
    users.execute("UPDATE users SET email = 'Other@X' WHERE id = 1")
    record = running.finish()
    assert record["blocked_ms"] > 100
    assert record["throttled_seconds"] > 0


@pytest.mark.parametrize("own", [None, "Fast"])
def test_a_gentler_pace_that_is_wished_makes_shorter_batches_of_a_backfill_that_runs(users, begin, own):
    """A row takes a millisecond and more."""
    users.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    running = begin(
        users, told=Told(wished={"pace": "Fast"} if own is None else {}), strategy="keyset", pace=own
    )
    wait_until(lambda: running.rows_done() > 2000, what="a backfill under way")
    running.told.wished = {"pace": "Gentle"}
    for _ in range(2):
        done = running.rows_done()
        wait_until(lambda: running.rows_done() > done + 3 * FEWEST_ROWS, what="more batches")  # noqa: B023
    running.stop()
    batches = [rows for (rows,) in users.rows(BATCHES)]
    assert max(batches[2:-3]) > FEWEST_ROWS, "from the third on that is more than a gentle one has"
    assert max(batches[-3:]) <= FEWEST_ROWS


def test_slow_commits_of_its_own_hold_it_and_it_ends_nevertheless(users, begin):
    """A deferred trigger takes its time in COMMIT, once in each batch."""
    users.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        "WHEN (NEW.id % 2000 = 0) EXECUTE FUNCTION slow()"
    )
    running = begin(users, strategy="keyset", batch_rows=2000)
    wait_until(lambda: running.was_held("commits take"), what="a hold by slow commits")
    assert running.finish()["rows"] == ROWS


def test_a_query_with_the_name_of_another_signal_is_refused_before_anything_is_done(users):
    with pytest.raises(ValueError, match="more than one signal"):
        run(users.url(), lambda: backfill("users", LOWER, signals={"replica lag": "SELECT 0"}))
    assert users.scalar("SELECT to_regclass('headway_backfill')") is None


@pytest.mark.parametrize(
    ("query", "words"),
    [("SELECT count(*) FROM nothing", 'relation "nothing" does not exist'), ("SELEC 1", "syntax error")],
)
def test_a_query_that_can_never_be_asked_is_refused_before_anything_is_done(users, query, words):
    with pytest.raises(WrongQuery, match=f"waiting jobs.*{words}"):
        run(users.url(), lambda: backfill("users", LOWER, signals={"waiting jobs": query}))
    assert users.scalar("SELECT to_regclass('headway_backfill')") is None
