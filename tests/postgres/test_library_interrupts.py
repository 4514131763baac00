"""Ctrl-C under plain Alembic: an operation stops at its next safe point and says what stays and how to go on."""

from __future__ import annotations

import re
import signal

import pytest

from support.plain import plain_alembic, start_plain_alembic
from support.projects import from_template
from support.waiting import wait_until

ROWS = 6000
SLOWLY = "backfill('users', {'n': '1'}, 'n IS NULL', batch_rows=3, analyze=False)"
AT_ONCE = SLOWLY.replace("batch_rows=3, ", "")


@pytest.fixture
def users(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, n int);"
        f"INSERT INTO users SELECT i FROM generate_series(1, {ROWS}) i"
    )
    return database


def interrupt(process, is_time, what):
    """Ctrl-C when it is time; how the process ended, and what it said on stderr."""
    try:
        wait_until(lambda: process.poll() is not None or is_time(), what=what)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.parametrize(("template", "driver"), [("generic", "psycopg"), ("async", "asyncpg")])
def test_a_backfill_stops_at_the_next_batch_and_says_how_much_is_committed(tmp_path, users, template, driver):
    project = from_template(tmp_path, template).revision("a1", f"from headway import backfill\n{SLOWLY}")

    def has_begun():
        is_there = users.scalar("SELECT to_regclass('headway_backfill') IS NOT NULL")
        return is_there and users.scalar("SELECT sum(rows_done) > 100 FROM headway_backfill")

    process = start_plain_alembic(project, users.url(driver))
    code, said = interrupt(process, has_begun, "the first batches")
    done = users.scalar("SELECT count(*) FROM users WHERE n = 1")
    assert code == 130, said
    assert "Traceback" not in said
    (told,) = re.findall(r"stopped by Ctrl-C in the backfill of users, (\d+) rows of which are done", said)
    assert "run the same command again, it goes on there" in said
    assert int(told) == done == users.scalar("SELECT rows_done FROM headway_backfill")
    assert 0 < done < ROWS
    (tmp_path / "migrations" / "versions" / "a1.py").write_text(
        (tmp_path / "migrations" / "versions" / "a1.py").read_text().replace(SLOWLY, AT_ONCE)
    )
    again = plain_alembic(project, users.url(driver))
    assert again.returncode == 0, again.stderr
    assert users.scalar("SELECT count(*) FROM users WHERE n = 1") == ROWS


def test_an_index_that_is_left_invalid_because_it_cannot_be_dropped_in_time_is_told(tmp_path, users):
    project = from_template(tmp_path).revision(
        "a1", "from headway import create_index_concurrently\ncreate_index_concurrently('ix', 'users', ['n'])"
    )
    writer = users.connect(autocommit=False)
    writer.execute("UPDATE users SET n = 2 WHERE id = 1")
    invalid = "SELECT to_regclass('ix') IS NOT NULL"
    try:
        process = start_plain_alembic(project, users.url())
        code, said = interrupt(process, lambda: users.scalar(invalid), "the build to wait for the writer")
    finally:
        writer.close()
    assert code == 130, said
    assert "stopped by Ctrl-C between two steps of an operation" in said
    assert "The index ix of public.users is left INVALID" in said
    again = plain_alembic(project, users.url())
    assert again.returncode == 0, again.stderr
    assert users.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix')")
