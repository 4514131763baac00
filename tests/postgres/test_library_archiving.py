"""A backfill and an archiver that gets nowhere, on a real server that archives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url

from headway.throttle.limits import Limits
from headway.throttle.own import OwnWork
from headway.throttle.verdict import Throttle
from headway.throttle.watch import watch
from headway.wishes import Wishes
from headway_cli.embedded import EmbeddedPostgres
from support.postgres import Database, PostgresServer
from support.waiting import wait_until

SEGMENTS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """What it is told to archive is never archived."""
    settings = {"archive_mode": "on", "archive_command": "false", "wal_level": "replica"}
    with EmbeddedPostgres.start(settings=settings) as embedded:
        yield PostgresServer(embedded.url())


@pytest.fixture(scope="module")
def users(server: PostgresServer) -> Iterator[Database]:
    """A table, and some segments of WAL that are full and wait; who may not look at them is called plain."""
    database = server.make_database("archiving")
    database.execute("CREATE TABLE users (id int)")
    database.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT ALL ON users TO plain")
    for number in range(SEGMENTS):
        database.execute(f"INSERT INTO users VALUES ({number})")
        database.execute("SELECT pg_switch_wal()")
    yield database
    server.drop(database)


def waiting(users: Database) -> int:
    """The segments that wait, as the server's own folder has them."""
    marks = "SELECT count(*) FROM pg_ls_dir('pg_wal/archive_status') AS name WHERE name LIKE '%.ready'"
    return int(str(users.scalar(marks)))


@contextmanager
def watching(url: str, segments: int, notice: Callable[[str], None] = print) -> Iterator[Throttle]:
    """Of the table users, with so many segments that may wait."""
    limits = Limits(archive_segments=segments)
    throttle = watch(
        create_engine(url), "users", Wishes, OwnWork(), schema="public", limits=limits, notice=notice
    )
    try:
        yield throttle
    finally:
        throttle.close()


def test_a_backlog_of_the_archiver_is_counted_and_holds(users: Database) -> None:
    wait_until(lambda: waiting(users) >= SEGMENTS, what="segments that wait")
    there = waiting(users)
    with watching(users.url(), there) as throttle:
        wait_until(lambda: "archived" in throttle.verdict().hold, what="a hold")
        assert throttle.verdict().hold == f"{there} WAL segments wait to be archived (limit {there})"


def test_a_backlog_below_the_limit_holds_nobody(users: Database) -> None:
    with watching(users.url(), waiting(users) + 5) as throttle:
        assert throttle.verdict().hold == ""
        assert throttle.verdict().utilization > 0


def test_who_may_not_look_while_nothing_was_ever_archived_is_told_what_to_grant(users: Database) -> None:
    told: list[str] = []
    plain = make_url(users.url()).set(username="plain", password="plain")
    with watching(plain.render_as_string(hide_password=False), 1, told.append):
        assert any("nothing has been archived yet" in one and "GRANT pg_monitor" in one for one in told)
