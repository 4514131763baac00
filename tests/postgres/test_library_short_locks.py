"""Short locks on a real server: the site is never held, blockers are named, stops are heard."""

from __future__ import annotations

import threading

import psycopg
import pytest
import sqlalchemy as sa

from headway.blockers import Wanted
from headway.place import CannotCommit, here
from headway.short_locks import LockUnavailable, Means, Patience, with_short_locks
from headway.statements import execute, rows
from support.revisions import StoppedByTest, Told, revision, revision_on, run

DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
QUICK = Patience(first_ms=20, longest_ms=40, first_pause_seconds=0.01, longest_pause_seconds=0.02)


@pytest.fixture
def users(database):
    database.execute("CREATE TABLE users (id int PRIMARY KEY)")
    return database


def add_a_column(connection):
    execute(connection, "ALTER TABLE users ADD COLUMN email text")


def altered(patience=QUICK, means=Means(), wanted=(Wanted("users"),)):  # noqa: B008
    place = here()
    with place.beside() as beside, beside.session() as session:
        with_short_locks(session, add_a_column, wanted, place.link, patience, means)


def columns(database):
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'users' ORDER BY 1"
    return [name for (name,) in database.rows(query)]


def holding(database, statement="SELECT * FROM users"):
    connection = psycopg.connect(database.address, application_name="shop-web")
    database.connections.append(connection)
    connection.execute(statement)
    return connection


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_is_tried_until_the_blocker_has_gone(users, driver):
    blocker, tries = holding(users), []

    def sleep(seconds):
        tries.append(seconds)
        if len(tries) == 3:
            blocker.rollback()

    run(users.url(driver), lambda: altered(means=Means(sleep=sleep)))
    assert columns(users) == ["email", "id"]
    assert len(tries) >= 3


def test_readers_come_in_between_tries(users):
    """With a lock request in the queue for good they would wait behind it."""
    blocker, read = holding(users), threading.Event()

    def sleep(seconds):
        assert users.scalar("SELECT count(*) FROM users") == 0
        read.set()
        blocker.rollback()

    run(users.url(), lambda: altered(means=Means(sleep=sleep)))
    assert read.is_set()


def test_giving_up_names_the_blocker_without_its_values(users):
    blocker = holding(users, "UPDATE users SET id = 7 WHERE id = 4111")
    with pytest.raises(LockUnavailable) as caught:
        run(users.url(), lambda: altered(Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)))
    said = str(caught.value)
    assert f"session {blocker.info.backend_pid} (application shop-web): idle in transaction" in said
    assert "last statement UPDATE users" in said
    assert "4111" not in said
    assert "ACCESS EXCLUSIVE on users" in said
    assert "run the revision again" in said
    assert columns(users) == ["id"]


def test_a_prepared_transaction_that_blocks_is_named(users):
    if users.scalar("SHOW max_prepared_transactions") == "0":
        # A server that was given: what it does not allow nobody can be blocked by.
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            users.execute("BEGIN; LOCK TABLE users IN ACCESS SHARE MODE; PREPARE TRANSACTION 'x'")
        return
    holder = holding(users, "LOCK TABLE users IN ACCESS SHARE MODE")
    holder.execute("PREPARE TRANSACTION 'x'")
    try:
        with pytest.raises(LockUnavailable, match="prepared transaction"):
            run(users.url(), lambda: altered(Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)))
    finally:
        users.execute("ROLLBACK PREPARED 'x'")


def test_a_reader_is_no_blocker_of_a_lock_that_readers_do_not_conflict_with(users):
    holding(users)
    writer = holding(users, "INSERT INTO users VALUES (1)")
    with pytest.raises(LockUnavailable) as caught:
        run(
            users.url(),
            lambda: altered(
                Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1),
                wanted=(Wanted("users", "SHARE ROW EXCLUSIVE"),),
            ),
        )
    assert str(caught.value).count("session ") == 1
    assert f"session {writer.info.backend_pid} " in str(caught.value)


def test_a_holder_of_a_partition_is_named_for_its_parent(database):
    database.execute(
        "CREATE TABLE users (id int) PARTITION BY LIST (id); "
        "CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1)"
    )
    blocker = holding(database, "SELECT * FROM users_1")
    with pytest.raises(LockUnavailable, match=f"session {blocker.info.backend_pid} "):
        run(database.url(), lambda: altered(Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)))


def test_a_long_wait_is_told_with_its_blocker(users):
    blocker, link, clock = holding(users), Told(), [0.0]

    def sleep(seconds):
        clock[0] += 3.0
        if clock[0] > 8:
            blocker.rollback()

    # Pauses that are over within one sleep, so that it is told before the blocker goes.
    means = Means(clock=lambda: clock[0], sleep=sleep, chance=lambda: 0.1)
    run(users.url(), lambda: altered(Patience(20, 1, 20, 9, 9), means), link)
    assert len(link.notices()) == 1
    assert f"blocked by session {blocker.info.backend_pid} " in link.notices()[0]


def test_a_stop_is_heard_between_tries(users):
    holding(users)
    link = Told(wished={"stop": True, "stop_reason": "Superseded."})
    with pytest.raises(StoppedByTest, match="Superseded"):
        run(users.url(), altered, link)
    assert columns(users) == ["id"]


def test_another_error_is_raised_at_once(users):
    users.execute("ALTER TABLE users ADD COLUMN email text")

    def sleep(seconds):
        raise AssertionError("it was tried again")

    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        run(users.url(), lambda: altered(means=Means(sleep=sleep)))


@pytest.mark.parametrize("driver", DRIVERS)
def test_sessions_of_our_own_have_the_search_path_and_role_of_the_revision(database, driver):
    database.execute("CREATE SCHEMA tenant; CREATE TABLE tenant.users (id int)")
    seen = []

    def work():
        here().context.connection.execute(sa.text("SET search_path TO tenant"))
        here().context.connection.execute(sa.text("SET ROLE pg_read_all_data"))
        place = here()
        with place.beside() as beside, beside.session() as session:
            seen.extend(
                session.do(lambda one: rows(one, "SELECT current_user, to_regclass('users') IS NOT NULL"))
            )
        place.context.connection.execute(sa.text("RESET ROLE"))

    run(database.url(driver), work)
    assert seen == [("pg_read_all_data", True)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_revision_did_before_is_committed_and_what_it_does_after_is_one_transaction(users, driver):
    def work():
        here().operations.execute("INSERT INTO users VALUES (1)")
        altered()
        here().operations.execute("INSERT INTO users VALUES (2)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(users.url(driver), work)
    assert users.rows("SELECT id FROM users") == [(1,)]
    assert columns(users) == ["email", "id"]


def test_it_works_inside_a_block_that_the_revision_left_the_transaction_with(users):
    def work():
        with here().context.autocommit_block():
            altered()

    run(users.url(), work)
    assert columns(users) == ["email", "id"]


def test_a_transaction_that_env_py_began_is_refused_with_what_to_do(users):
    engine = sa.create_engine(users.url())
    with (
        engine.begin() as connection,
        pytest.raises(CannotCommit, match=r"engine\.connect\(\) instead of engine\.begin\(\)"),
        revision_on(connection),
    ):
        altered()
    engine.dispose()
    assert columns(users) == ["id"]


def test_a_schema_that_the_connection_translates_is_translated(users):
    with revision(users.url()) as operations:
        connection = operations.get_context().connection.execution_options(
            schema_translate_map={None: "tenant"}
        )
        operations.get_context().connection = connection
        assert here().schema(None) == "tenant"
        assert here().schema("other") == "other"
