"""Backfills on SQLite: on the migration connection, along the key."""

from __future__ import annotations

import sqlite3

import pytest

from headway import backfill
from headway.backfills.claim import Changed
from headway.backfills.known import NoSuchColumn, NoSuchTable, NotPossible
from headway.backfills.worker import BackfillIncomplete
from headway.pace import Pace
from support.revisions import StoppedByTest, Told, run

ROWS = 3000


@pytest.fixture
def shop(tmp_path):
    """A file, so that another connection sees what was committed."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, n INT NOT NULL DEFAULT 0, email_lc TEXT)"
        )
        connection.executemany(
            "INSERT INTO users (id, email) VALUES (?, ?)", [(i * 7, f"User{i}@X") for i in range(ROWS)]
        )
        connection.execute(
            "CREATE TABLE lines (shop TEXT, no INT, n INT DEFAULT 0, PRIMARY KEY (shop, no)) WITHOUT ROWID"
        )
        connection.executemany(
            "INSERT INTO lines (shop, no) VALUES (?, ?)", [(f"s{i % 9}", i) for i in range(ROWS)]
        )
    connection.close()
    return path


def fill(path, *arguments, told=None, **named):
    found = []
    run(f"sqlite:///{path}", lambda: found.append(backfill(*arguments, **named)), told or Told())
    return found[0]


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_every_row_is_filled(shop):
    record = fill(shop, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
    assert rows(shop, "SELECT count(*) FROM users WHERE email_lc IS NOT lower(email)") == [(0,)]
    assert record.rows == ROWS
    assert rows(shop, "SELECT rows_done, is_complete FROM headway_backfill") == [(ROWS, 1)]


def test_more_sessions_than_one_are_told_to_be_impossible_and_one_works(shop):
    told = Told()
    assert fill(shop, "users", {"n": "n + 1"}, told=told, workers=4).rows == ROWS
    assert [one for one in told.notices() if "one session works on it: only on PostgreSQL" in one]


def test_a_composite_key_of_a_table_without_rowid_is_gone_along(shop):
    fill(shop, "lines", {"n": "n + 1"}, batch_rows=70)
    assert rows(shop, "SELECT n, count(*) FROM lines GROUP BY n") == [(1, ROWS)]


def test_it_goes_on_after_a_stop_and_applies_nothing_twice(shop):
    told = Told()
    told.wishes = lambda: {"stop": rows(shop, "SELECT rows_done FROM headway_backfill")[0][0] >= 500}
    with pytest.raises(StoppedByTest):
        fill(shop, "users", {"n": "n + 1"}, batch_rows=100, told=told)
    assert 0 < rows(shop, "SELECT sum(n) FROM users")[0][0] < ROWS
    assert fill(shop, "users", {"n": "n + 1"}).rows == ROWS
    assert rows(shop, "SELECT DISTINCT n FROM users") == [(1,)]


def test_it_goes_on_only_along_the_key_that_it_was_begun_with(shop):
    def change(*statements):
        with sqlite3.connect(shop) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    change(
        "CREATE TABLE items (id INT NOT NULL, other INT NOT NULL, n INT NOT NULL DEFAULT 0)",
        "INSERT INTO items (id, other) SELECT id, -id FROM users",
        "CREATE UNIQUE INDEX second ON items (id)",
    )
    told = Told()
    told.wishes = lambda: {"stop": rows(shop, "SELECT rows_done FROM headway_backfill")[0][0] >= 500}
    with pytest.raises(StoppedByTest):
        fill(shop, "items", {"n": "n + 1"}, batch_rows=100, told=told)
    change("CREATE UNIQUE INDEX first ON items (other)", "DROP INDEX second")
    with pytest.raises(Changed, match=r"along the key \(id\), and that key is no longer there"):
        fill(shop, "items", {"n": "n + 1"})
    change("CREATE UNIQUE INDEX second ON items (id)")
    fill(shop, "items", {"n": "n + 1"})
    assert rows(shop, "SELECT n, count(*) FROM items GROUP BY n") == [(1, ROWS)]


def test_what_was_complete_is_done_again_only_where_that_does_no_harm(shop):
    fill(shop, "users", {"n": "n + 1"})
    fill(shop, "users", {"n": "n + 1"})
    assert rows(shop, "SELECT DISTINCT n FROM users") == [(1,)]
    fill(shop, "users", {"email_lc": "lower(email)"})
    with sqlite3.connect(shop) as connection:
        connection.execute("UPDATE users SET email_lc = NULL")
    connection.close()
    fill(shop, "users", {"email_lc": "lower(email)"})
    assert rows(shop, "SELECT count(*) FROM users WHERE email_lc IS NULL") == [(0,)]


def test_an_expression_that_reads_a_column_made_from_what_it_sets_is_applied_once(shop):
    with sqlite3.connect(shop) as connection:
        connection.execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, net INT, vat INT GENERATED ALWAYS AS (net * 2) VIRTUAL, "
            "gross INT GENERATED ALWAYS AS (net + vat) STORED)"
        )
        connection.executemany("INSERT INTO items (id, net) VALUES (?, 10)", [(i,) for i in range(ROWS)])
    connection.close()
    for _ in range(2):
        fill(shop, "items", {"net": "gross"})
    assert rows(shop, "SELECT net, count(*) FROM items GROUP BY net") == [(30, ROWS)]


def test_what_was_asked_for_exactly_once_is_not_done_again(shop):
    tokens = "SELECT id, email_lc FROM users ORDER BY id"
    fill(shop, "users", {"email_lc": "hex(randomblob(16))"}, exactly_once=True)
    found = rows(shop, tokens)
    fill(shop, "users", {"email_lc": "hex(randomblob(16))"}, exactly_once=True)
    assert rows(shop, tokens) == found


def test_what_is_complete_is_not_applied_on_top_of_itself_when_it_was_changed(shop):
    fill(shop, "users", {"n": "n + 1"})
    with pytest.raises(Changed, match="is complete"):
        fill(shop, "users", {"n": "n + 2"})
    assert rows(shop, "SELECT DISTINCT n FROM users") == [(1,)]


def test_a_row_with_bad_data_is_told_by_its_key(shop):
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE UNIQUE INDEX one ON users (email_lc)")
        connection.execute("UPDATE users SET email = 'user1@x' WHERE id = 700")
    connection.close()
    with pytest.raises(BackfillIncomplete, match="700") as caught:
        fill(shop, "users", {"email_lc": "lower(email)"})
    assert "user1" not in str(caught.value)
    assert rows(shop, "SELECT id FROM users WHERE email_lc IS NULL") == [(700,)]


def test_in_memory_the_migrations_own_connection_is_used():
    import sqlalchemy as sa
    from alembic import op

    from support.revisions import revision

    with revision("sqlite://"):
        op.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, n INT)")
        op.execute("INSERT INTO users VALUES (1, 1), (2, 2)")
        backfill("users", {"n": "n * 10"})
        assert op.get_bind().execute(sa.text("SELECT sum(n) FROM users")).scalar() == 30


def test_what_is_not_there_is_told(shop):
    with pytest.raises(NoSuchTable, match="no table nothing"):
        fill(shop, "nothing", {"n": "1"})
    with pytest.raises(NoSuchColumn, match="users has no column nothing"):
        fill(shop, "users", {"nothing": "1"})


def test_a_table_without_a_key_is_refused_with_advice(shop):
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE notes (n INT)")
    connection.close()
    with pytest.raises(NotPossible, match=r"no primary key .* Add such a key"):
        fill(shop, "notes", {"n": "1"})


def test_rows_that_nobody_knows_the_width_of_count_as_narrow_ones(tmp_path):
    """As many as grow by half from batch to batch, and no batch is too long."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, n INT)")
        connection.executemany("INSERT INTO users (id) VALUES (?)", [(i,) for i in range(24_000)])
    connection.close()
    record = fill(tmp_path / "shop.db", "users", {"n": "1"}, pace=Pace("Unhurried", 60_000.0, most_share=1.0))
    assert record.batches == 8
