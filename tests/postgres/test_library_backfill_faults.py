"""Backfills on a real server when things go wrong in the middle: nothing is missed, nothing happens twice."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import ProgrammingError

from headway import backfill
from headway.backfills import claim, servers
from headway.backfills.checkpoint import TakenOver
from headway.backfills.claim import Changed, SecondRunner
from support.revisions import StoppedByTest, Told, run
from support.waiting import wait_until

ROWS = 4000
FILL = ("users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
COUNT = ("users", {"n": "n + 1"})
SLOW_ROW = """
    CREATE SEQUENCE tries;
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('tries') <= 3 THEN PERFORM pg_sleep(5); END IF; RETURN NEW; END $$;
    CREATE TRIGGER slowly BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = 2000) EXECUTE FUNCTION slowly()
"""
"""Three tries of one row take far longer than a statement may here. What a sequence gives is not taken back."""


@pytest.fixture
def users(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, n int NOT NULL DEFAULT 0, email_lc text);"
        f"INSERT INTO users (id, email) SELECT i, repeat('User', 20) || i FROM generate_series(1, {ROWS}) i;"
        "ANALYZE users"
    )
    return database


def done(database):
    if database.scalar("SELECT to_regclass('headway_backfill') IS NULL"):
        return 0
    return database.scalar("SELECT coalesce(max(rows_done), 0) FROM headway_backfill")


def in_the_middle(database, action, rows=500):
    """A link by which `action` happens once, between two batches, when so many rows are done."""
    told, happened = Told(), []

    def wishes():
        if not happened and done(database) >= rows:
            happened.append(True)
            action()
        return told.wished

    told.wishes = wishes
    return told, happened


def fill(database, arguments, told, **named):
    found = []
    named = {"batch_rows": 100, **named}
    run(database.url(), lambda: found.append(backfill(*arguments, **named)), told)
    return found[0]


def owner(database):
    return int(str(database.scalar("SELECT owner FROM headway_backfill")).split()[0])


def wrong(database):
    return database.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)")


def applied(database):
    return database.rows("SELECT n, count(*) FROM users GROUP BY n ORDER BY n")


def test_a_table_that_is_rewritten_in_the_middle_is_swept_anew(users):
    told, happened = in_the_middle(users, lambda: users.execute("VACUUM FULL users"))
    fill(users, FILL, told)
    assert happened
    assert wrong(users) == 0
    state = json.loads(str(users.scalar("SELECT state FROM headway_backfill")))
    assert state["filenode"] == users.scalar("SELECT pg_relation_filenode('users')")


@pytest.mark.parametrize("arguments", [FILL, COUNT], ids=["striped", "exactly once"])
def test_a_session_that_is_ended_is_made_anew(users, arguments):
    told, happened = in_the_middle(
        users, lambda: users.scalar("SELECT pg_terminate_backend(%s)", (owner(users),))
    )
    record = fill(users, arguments, told)
    assert happened
    assert record.rows == ROWS
    assert applied(users) == [(1 if arguments is COUNT else 0, ROWS)]
    assert any("the connection was lost" in one for one in told.notices())


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_connection_that_is_cut_in_commit_leaves_no_doubt(users, monkeypatch, is_committed):
    usual, cut = DefaultDialect.do_commit, []

    def do_commit(dialect, connection):
        driver = getattr(connection, "driver_connection", connection)
        if cut or done(users) < 500 or driver.info.backend_pid != owner(users):
            return usual(dialect, connection)
        cut.append(True)
        if is_committed:
            usual(dialect, connection)
        users.scalar("SELECT pg_terminate_backend(%s)", (driver.info.backend_pid,))
        return driver.execute("SELECT 1")

    monkeypatch.setattr(DefaultDialect, "do_commit", do_commit)
    record = fill(users, COUNT, Told())
    assert cut
    assert record.rows == ROWS
    assert applied(users) == [(1, ROWS)]


@pytest.mark.parametrize("arguments", [FILL, COUNT], ids=["striped", "exactly once"])
def test_a_row_that_somebody_has_locked_for_long_keeps_no_other_row_waiting(users, arguments):
    """Its batch gets smaller until the row is alone; at the end it is tried again."""
    holder = users.connect(autocommit=False)
    holder.execute("SELECT FROM users WHERE id = 2000 FOR UPDATE")
    filled = "n = 1" if arguments is COUNT else "email_lc IS NOT NULL"
    others = f"SELECT count(*) FROM users WHERE {filled}"

    def release():
        if users.scalar(others) == ROWS - 1:
            holder.rollback()

    told = Told()
    told.on_report = lambda kind, facts: release()
    told.wishes = lambda: release() or {}
    record = fill(users, arguments, told)
    assert record.rows == ROWS
    assert users.scalar(others) == ROWS
    assert any("a lock or the statement took too long (55P03)" in one for one in told.notices())


@pytest.mark.parametrize("strategy", ["striped", "keyset"])
def test_a_statement_that_the_server_ends_for_its_time_is_done_again_in_smaller_batches(
    users, monkeypatch, strategy
):
    monkeypatch.setattr(servers, "LEAST_STATEMENT_MS", 250)
    monkeypatch.setattr(servers, "STATEMENT_TARGETS", 0)
    users.execute(SLOW_ROW)
    told = Told()
    arguments = ("users", {"email_lc": "lower(email)", "n": "n + 1"}, "email_lc IS NULL")
    record = fill(users, arguments, told, strategy=strategy, exactly_once=False)
    assert any("a lock or the statement took too long (57014)" in one for one in told.notices())
    assert users.scalar("SELECT last_value FROM tries") == 4
    assert record.rows == ROWS
    assert wrong(users) == 0
    assert applied(users) == [(1, ROWS)]


def test_a_session_that_is_silent_in_a_transaction_is_ended_by_the_server_and_the_batch_is_done_again(
    users, monkeypatch
):
    """Its locks are free then, though the process hangs before COMMIT."""
    monkeypatch.setattr(servers, "IDLE_MS", 200)
    usual, silent, ended = DefaultDialect.do_commit, [], []

    def do_commit(dialect, connection):
        driver = getattr(connection, "driver_connection", connection)
        if not silent and done(users) >= 500 and driver.info.backend_pid == owner(users):
            silent.append(driver.info.backend_pid)
            is_there = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {silent[0]}"
            wait_until(lambda: not users.scalar(is_there), what="the server to end the session")
            ended.append(True)
        usual(dialect, connection)

    monkeypatch.setattr(DefaultDialect, "do_commit", do_commit)
    told = Told()
    record = fill(users, COUNT, told)
    assert ended
    assert record.rows == ROWS
    assert applied(users) == [(1, ROWS)]
    assert any("the connection was lost" in one for one in told.notices())


def held(database, told, arguments):
    """A run in a thread that waits in the middle; the thread and what came of it."""
    told.wished["pause"] = "a test holds it"
    outcome = []

    def work():
        try:
            outcome.append(fill(database, arguments, told))
        except TakenOver as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: any(facts.get("throttled_by") for _, facts in told.facts))
    return thread, outcome


def test_a_pause_holds_and_is_told_with_its_reason(users):
    told = Told()
    thread, outcome = held(users, told, FILL)
    assert done(users) == 0
    assert any("a test holds it" in str(facts.get("throttled_by")) for _, facts in told.facts)
    told.wished.clear()
    thread.join(60)
    assert outcome[0].rows == ROWS
    assert outcome[0].throttled_seconds > 0


def test_a_second_runner_is_refused_while_the_first_one_lives(users, monkeypatch):
    monkeypatch.setattr(claim, "WAIT_SECONDS", 0.5)
    told = Told()
    thread, outcome = held(users, told, COUNT)
    with pytest.raises(SecondRunner, match="Another session works on the backfill"):
        fill(users, COUNT, Told())
    told.wished.clear()
    thread.join(60)
    assert outcome[0].rows == ROWS
    assert applied(users) == [(1, ROWS)]


def test_a_runner_that_gave_no_sign_of_life_is_replaced_and_cannot_do_anything_any_more(users):
    told = Told()
    thread, outcome = held(users, told, COUNT)
    users.execute("UPDATE headway_backfill SET updated_at = now() - interval '5 min'")
    assert fill(users, COUNT, Told()).rows == ROWS
    told.wished.clear()
    thread.join(60)
    assert isinstance(outcome[0], TakenOver)
    assert applied(users) == [(1, ROWS)]


def stopped(database, arguments):
    told = Told()
    told.wishes = lambda: {"stop": done(database) >= 500}
    with pytest.raises(StoppedByTest):
        fill(database, arguments, told)


@pytest.fixture
def set_role(users):
    """Sessions are those of a role that may do all here, and sees of other users' sessions, its own too, no more than
    the number."""
    role = f"role_{users.name}"
    users.execute(
        f"CREATE ROLE {role}; GRANT CREATE, USAGE ON SCHEMA public TO {role};"
        f"ALTER TABLE users OWNER TO {role}; ALTER DATABASE {users.name} SET role = {role}"
    )
    yield users
    users.execute(f"SET ROLE NONE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_backfill_goes_on_at_once_where_the_role_was_set(set_role):
    stopped(set_role, COUNT)
    assert fill(set_role, COUNT, Told()).rows == ROWS
    assert applied(set_role) == [(1, ROWS)]


def test_a_second_runner_is_refused_where_the_role_was_set(set_role, monkeypatch):
    monkeypatch.setattr(claim, "WAIT_SECONDS", 0.5)
    told = Told()
    thread, outcome = held(set_role, told, COUNT)
    with pytest.raises(SecondRunner, match="Another session works on the backfill"):
        fill(set_role, COUNT, Told())
    told.wished.clear()
    thread.join(60)
    assert outcome[0].rows == ROWS
    assert applied(set_role) == [(1, ROWS)]


def test_an_owner_that_cannot_be_read_counts_as_one_that_lives_until_it_is_silent(users, monkeypatch):
    monkeypatch.setattr(claim, "WAIT_SECONDS", 0.5)
    stopped(users, COUNT)
    users.execute("UPDATE headway_backfill SET owner = 'somebody'")
    with pytest.raises(SecondRunner, match="Another session works on the backfill"):
        fill(users, COUNT, Told())
    users.execute("UPDATE headway_backfill SET updated_at = now() - interval '5 min'")
    fill(users, COUNT, Told())
    assert applied(users) == [(1, ROWS)]


def test_an_expression_that_was_changed_half_way_is_refused_where_rows_are_updated_once(users):
    stopped(users, COUNT)
    with pytest.raises(Changed, match="half done"):
        fill(users, ("users", {"n": "n + 2"}), Told())
    assert users.scalar("SELECT max(n) FROM users") == 1


@pytest.mark.parametrize(
    "named", [{"set_": {"n": "n + 2"}}, {"strategy": "keyset"}, {"key": ("id",)}], ids=str
)
def test_one_that_is_complete_is_not_applied_on_top_of_itself_when_it_was_changed(users, named):
    fill(users, COUNT, Told())
    named = {"set_": {"n": "n + 1"}, **named}
    with pytest.raises(Changed, match=r"is complete, .* give it a revision of its own, or a name="):
        fill(users, ("users",), Told(), **named)
    assert applied(users) == [(1, ROWS)]
    assert users.rows("SELECT rows_done, is_complete FROM headway_backfill") == [(ROWS, True)]
    fill(users, COUNT, Told())
    assert applied(users) == [(1, ROWS)]
    fill(users, ("users",), Told(), name="on top", **named)
    assert users.scalar("SELECT min(n) FROM users") >= 2


def test_one_that_was_asked_for_exactly_once_is_not_done_anew_with_another_text_either(users):
    tokens = "SELECT md5(string_agg(email_lc, ',' ORDER BY id)) FROM users"
    fill(users, ("users", {"email_lc": "gen_random_uuid()::text"}), Told(), exactly_once=True)
    before = users.scalar(tokens)
    with pytest.raises(Changed, match="is complete"):
        fill(users, ("users", {"email_lc": "upper(gen_random_uuid()::text)"}), Told(), exactly_once=True)
    assert users.scalar(tokens) == before


@pytest.mark.parametrize("first", ["n * 100", "7"])
def test_two_of_the_same_columns_in_one_revision_need_names_of_their_own(users, first):
    """Under one name a rerun could not tell which of them was applied, so the second is refused from the start."""

    def upgrade(**second):
        run(
            users.url(),
            lambda: [backfill("users", {"n": first}), backfill("users", {"n": "n + 5"}, **second)],
            Told(),
        )

    users.execute("UPDATE users SET n = 3")
    with pytest.raises(Changed, match="fills the same columns twice"):
        upgrade()
    upgrade(name="the second")
    assert applied(users) == [({"n * 100": 305, "7": 12}[first], ROWS)]
    if first == "n * 100":
        upgrade(name="the second")
        assert applied(users) == [(305, ROWS)]


def test_one_that_was_made_for_no_row_may_be_changed_though_it_is_complete(users):
    users.execute("CREATE TABLE kept AS SELECT * FROM users; DELETE FROM users")
    fill(users, COUNT, Told())
    users.execute("INSERT INTO users SELECT * FROM kept")
    fill(users, ("users", {"n": "n + 2"}), Told())
    assert applied(users) == [(2, ROWS)]


def test_an_expression_that_could_not_run_may_be_corrected(users):
    """Nothing of it was done, whatever was thought of the expression."""
    with pytest.raises(ProgrammingError, match="emial"):
        fill(users, ("users", {"email_lc": "lower(emial)"}, "email_lc IS NULL"), Told())
    fill(users, FILL, Told())
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc = lower(email)") == ROWS


def test_a_role_that_may_not_make_the_table_of_checkpoints_is_told_what_to_grant(users):
    role = f"role_{users.name}"
    users.execute(
        f"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        f"GRANT SELECT, UPDATE ON users TO {role}; ALTER DATABASE {users.name} SET role = {role}"
    )
    try:
        with pytest.raises(claim.NoCheckpoint, match="may not make the table headway_backfill"):
            fill(users, FILL, Told())
    finally:
        users.execute(f"SET ROLE NONE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_expression_that_was_changed_half_way_begins_again_where_that_does_no_harm(users):
    stopped(users, ("users", {"email_lc": "upper(email)"}))
    told = Told()
    fill(users, ("users", {"email_lc": "lower(email)"}), told)
    assert wrong(users) == 0
    assert any("it begins again" in one for one in told.notices())


def test_writers_that_move_rows_leave_none_behind(users):
    """They lie elsewhere then, in blocks and along the key; a look at the end finds them."""
    users.execute("ALTER TABLE users ADD COLUMN pad text")
    stop = threading.Event()

    def write():
        with psycopg.connect(users.address, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute(
                    "UPDATE users SET id = -id, pad = repeat('x', 300) "
                    f"WHERE id = (SELECT (random() * {ROWS})::int) AND email_lc IS NULL"
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        fill(users, FILL, Told())
    finally:
        stop.set()
        writer.join(60)
    assert wrong(users) == 0
