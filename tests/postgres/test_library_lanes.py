"""Several sessions on one backfill: each row is still updated once, whatever happens to one of them."""

from __future__ import annotations

import threading
from time import monotonic

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from headway import backfill
from headway.backfills import staffing
from headway.backfills.checkpoint import TakenOver
from headway.backfills.claim import Changed
from headway.backfills.worker import BackfillIncomplete
from support.revisions import StoppedByTest, Told, run
from support.waiting import wait_until

ROWS = 16_000
FILL = ("users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
COUNT = ("users", {"n": "n + 1"})
EACH = pytest.mark.parametrize("arguments", [FILL, COUNT], ids=["striped", "exactly once"])
LANES = "SELECT count(*) FROM headway_backfill WHERE lane > 0 AND NOT is_complete"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Further sessions come without the wait for what the last one does to the server."""
    monkeypatch.setattr(staffing, "ADD_SECONDS", 0.0)


@pytest.fixture
def users(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, n int NOT NULL DEFAULT 0, email_lc text);"
        f"INSERT INTO users (id, email) SELECT i, repeat('User', 20) || i FROM generate_series(1, {ROWS}) i;"
        "ANALYZE users"
    )
    return database


def fill(database, arguments, told, driver="psycopg", **named):
    found = []
    named = {"batch_rows": 200, "workers": 3, **named}
    run(database.url(driver), lambda: found.append(backfill(*arguments, **named)), told)
    return found[0]


def lanes(database):
    """Other lanes that have something left."""
    there = database.scalar("SELECT to_regclass('headway_backfill') IS NOT NULL")
    return database.scalar(LANES) if there else 0


def done(database):
    return database.scalar("SELECT sum(rows_done) FROM headway_backfill")


def once_shared(database, action, least=2):
    """A link by which `action` happens once, when so many other lanes have something left."""
    told, happened = Told(), threading.Lock()

    def wishes():
        if not happened.locked() and lanes(database) >= least and happened.acquire(blocking=False):
            action()
        return dict(told.wished)

    told.wishes = wishes
    return told, happened


def stands_still(database, told):
    """How many rows are done, when two more reports have changed nothing about it."""
    before, seen = done(database), len(told.facts)
    wait_until(lambda: len(told.facts) > seen + 1)
    return before if done(database) == before else None


def is_right(database, arguments):
    if arguments is COUNT:
        return database.rows("SELECT n, count(*) FROM users GROUP BY n") == [(1, ROWS)]
    return not database.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)")


def kept(database):
    """What is left in the table of checkpoints: everything in the first lane's row, nothing open."""
    return database.rows(
        "SELECT sum(rows_done), max(rows_done) FILTER (WHERE lane = 0), bool_and(is_complete) FROM headway_backfill"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (FILL, {}),
        (FILL, {"strategy": "keyset", "driver": "pg8000"}),
        (COUNT, {}),
        (COUNT, {"driver": "asyncpg"}),
    ],
    ids=["striped", "keyset, pg8000", "exactly once", "exactly once, asyncpg"],
)
def test_several_sessions_share_a_table_and_update_each_row_once(users, arguments, named):
    told, shared = once_shared(users, lambda: None)
    record = fill(users, arguments, told, **named)
    assert shared.locked()
    assert is_right(users, arguments)
    assert record.rows == ROWS
    assert kept(users) == [(ROWS, ROWS, True)]
    progress = [facts for kind, facts in told.facts if kind == "BackfillProgressed"]
    percents = [facts["percent"] for facts in progress]
    assert {facts["workers"] for facts in progress} <= {1, 2, 3}
    assert percents == sorted(percents)


def test_a_partitioned_table_is_shared_leaf_by_leaf(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text, email_lc text, n int) PARTITION BY HASH (id);"
        "CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        "CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        f"INSERT INTO users SELECT i, repeat('User', 20) || i FROM generate_series(1, {2 * ROWS}) i; ANALYZE users"
    )
    told, shared = once_shared(database, lambda: None, least=1)
    assert fill(database, FILL, told).rows == 2 * ROWS
    assert shared.locked()
    assert is_right(database, FILL)


@EACH
def test_a_lane_whose_session_is_ended_goes_on_in_another_one(users, arguments):
    sessions = (
        "SELECT split_part(owner, ' ', 1)::int FROM headway_backfill WHERE lane > 0 AND NOT is_complete"
    )
    told, ended = Told(), []

    def is_told():
        return any("the connection was lost" in one for one in told.notices())

    def wishes():
        # One that just leaves its lane is not missed: then another one is ended, a second later.
        if not is_told() and monotonic() > max(ended, default=0.0) + 1 and lanes(users) >= 2:
            ended.append(monotonic())
            for (pid,) in users.rows(sessions):
                users.scalar("SELECT pg_terminate_backend(%s)", (pid,))
        return dict(told.wished)

    told.wishes = wishes
    record = fill(users, arguments, told, batch_rows=20)
    assert (record.rows, is_right(users, arguments)) == (ROWS, True)
    assert is_told()


def test_one_whose_further_lanes_alone_have_done_rows_is_half_done(users):
    """As when the first lane has met a locked row at once."""
    told, shared = once_shared(users, lambda: None)
    usual = told.wishes
    told.wishes = lambda: {**usual(), "stop": shared.locked() and done(users) >= 500}
    with pytest.raises(StoppedByTest):
        fill(users, COUNT, told)
    users.execute(
        "UPDATE headway_backfill SET state = jsonb_set(state::jsonb, '{tally,rows}', '0') WHERE lane = 0"
    )
    assert users.scalar("SELECT sum(rows_done) FROM headway_backfill WHERE lane > 0") > 0
    with pytest.raises(Changed, match="half done"):
        fill(users, ("users", {"n": "n + 2"}), Told())
    assert users.scalar("SELECT max(n) FROM users") == 1


@EACH
def test_a_run_that_is_stopped_with_lanes_is_ended_by_one_session_and_the_other_way_round(users, arguments):
    for workers, least in ((3, 1), (1, 0), (3, 0)):
        told, stopped = once_shared(users, lambda: None, least)
        told.wished["stop"] = False
        usual = told.wishes
        before = done(users) if least == 0 else 0
        told.wishes = lambda usual=usual, before=before, stopped=stopped: {
            **usual(),
            "stop": stopped.locked() and done(users) >= before + 500,
        }
        with pytest.raises(StoppedByTest):
            fill(users, arguments, told, workers=workers)
    assert lanes(users)
    record = fill(users, arguments, Told(), workers=1)
    assert (record.rows, is_right(users, arguments)) == (ROWS, True)
    assert kept(users) == [(ROWS, ROWS, True)]


def test_a_table_that_is_rewritten_while_it_is_shared_is_swept_anew_by_all(users):
    vacuum = threading.Thread(target=users.execute, args=("VACUUM FULL users",))
    told, rewritten = once_shared(users, vacuum.start)
    record = fill(users, FILL, told)
    assert rewritten.locked()
    vacuum.join(60)
    assert (record.rows, is_right(users, FILL)) == (ROWS, True)


def test_a_pause_reaches_every_lane_and_a_lower_limit_leaves_one_session(users):
    told, _ = once_shared(users, lambda: told.wished.update(pause="a test holds it"))
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(fill(users, COUNT, told)))
    thread.start()
    try:
        wait_until(lambda: any(facts.get("throttled_by") for _, facts in told.facts))
        # What was begun ends first; from then on reports come and rows do not.
        held = wait_until(lambda: stands_still(users, told))
        assert held < ROWS
        told.wished["max_workers"] = 1
        wait_until(lambda: told.facts[-1][1].get("workers") == 1)
    finally:
        told.wished["pause"] = ""
        thread.join(60)
    assert (outcome[0].rows, is_right(users, COUNT)) == (ROWS, True)


def test_who_takes_over_shuts_out_every_lane_of_the_run_before(users):
    told, shared = once_shared(users, lambda: told.wished.update(pause="a test holds it"))
    outcome = []

    def work():
        try:
            fill(users, COUNT, told)
        except TakenOver as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(shared.locked)
        wait_until(lambda: any(facts.get("throttled_by") for _, facts in told.facts))
        users.execute("UPDATE headway_backfill SET updated_at = now() - interval '5 min'")
        assert fill(users, COUNT, Told()).rows == ROWS
    finally:
        told.wished["pause"] = ""
        thread.join(60)
    assert outcome
    assert is_right(users, COUNT)


def test_rows_that_cannot_be_updated_in_any_lane_are_told_by_their_keys(users):
    bad = (100, ROWS // 2, ROWS - 100)
    users.execute(f"ALTER TABLE users ADD CHECK (n = 0 OR id NOT IN {bad})")
    told, shared = once_shared(users, lambda: None)
    with pytest.raises(BackfillIncomplete) as raised:
        fill(users, COUNT, told)
    assert shared.locked()
    assert all(f"({key}) 23514" in str(raised.value) for key in bad)
    assert users.rows("SELECT n, count(*) FROM users GROUP BY n ORDER BY n") == [(0, 3), (1, ROWS - 3)]


def test_what_ends_one_lane_ends_the_run_with_its_reason_and_loses_nothing(users):
    full = (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER full_disk BEFORE UPDATE ON headway_backfill FOR EACH ROW WHEN (NEW.lane > 0) "
        "EXECUTE FUNCTION full_disk()"
    )
    told, broken = once_shared(users, lambda: users.execute(full))
    with pytest.raises(OperationalError, match="No space left"):
        fill(users, COUNT, told)
    assert broken.locked()
    users.execute("DROP TRIGGER full_disk ON headway_backfill")
    assert fill(users, COUNT, Told()).rows == ROWS
    assert is_right(users, COUNT)


def test_where_no_further_session_can_be_had_one_works_and_the_reason_is_told(users):
    role = f"narrow_{users.name}"
    password = sa.make_url(users.url()).password
    users.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}' CONNECTION LIMIT 3")
    users.execute(f"GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE users OWNER TO {role}")
    told = Told()
    try:
        url = sa.make_url(users.url()).set(username=role)
        run(
            url.render_as_string(hide_password=False),
            lambda: backfill(*COUNT, workers=3, batch_rows=100),
            told,
        )
    finally:
        users.execute(f"REASSIGN OWNED BY {role} TO current_user; DROP OWNED BY {role}; DROP ROLE {role}")
    assert is_right(users, COUNT)
    notices = [one for one in told.notices() if "goes on without a further session" in one]
    assert len(notices) == 1
    assert "too many connections" in notices[0]
