"""Backfills on MariaDB and MySQL: along the key, each row exactly once, whatever cuts them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headway import backfill
from headway.backfills.known import NotPossible
from headway.backfills.worker import BackfillIncomplete
from headway.pace import Pace
from support.kills import anywhere
from support.kills.victim import Moment
from support.revisions import StoppedByTest, Told, run

ROWS = 3000


@pytest.fixture
def shop(mysql_url):
    """An engine of the test's own; a table with a composite key in the order of no column."""
    engine = sa.create_engine(mysql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE users (shop varchar(9), at datetime(6), email varchar(90), n int NOT NULL DEFAULT 0, "
            "email_lc varchar(90), PRIMARY KEY (shop, at)) ENGINE=InnoDB"
        )
        values = ", ".join(f"('s{i % 9}', '2026-01-01 00:00:00.{i:06}', 'User{i}@X')" for i in range(ROWS))
        connection.exec_driver_sql(f"INSERT INTO users (shop, at, email) VALUES {values}")
    yield engine
    engine.dispose()


def rows(shop, query):
    with shop.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query).fetchall()]


def fill(shop, *arguments, told=None, **named):
    found = []
    url = shop.url.render_as_string(hide_password=False)
    run(url, lambda: found.append(backfill(*arguments, **{"batch_rows": 100, **named})), told or Told())
    return found[0]


def done(shop):
    found = rows(shop, "SHOW TABLES LIKE 'headway_backfill'")
    return rows(shop, "SELECT coalesce(max(rows_done), 0) FROM headway_backfill")[0][0] if found else 0


def test_every_row_is_filled_along_a_composite_key(shop):
    assert fill(shop, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL").rows == ROWS
    assert rows(shop, "SELECT count(*) FROM users WHERE NOT (email_lc <=> lower(email))") == [(0,)]
    assert rows(shop, "SELECT rows_done, is_complete FROM headway_backfill") == [(ROWS, 1)]


def test_it_goes_on_after_a_stop_and_a_lost_session_and_applies_nothing_twice(shop):
    told = Told()
    told.wishes = lambda: {"stop": done(shop) >= 500}
    with pytest.raises(StoppedByTest):
        fill(shop, "users", {"n": "n + 1"}, told=told)
    killed = []

    def wishes():
        if not killed and done(shop) >= 1000:
            number = rows(shop, "SELECT owner FROM headway_backfill")[0][0].split()[0]
            killed.append(number)
            with shop.connect() as connection:
                connection.exec_driver_sql(f"KILL {number}")
        return {}

    told = Told()
    told.wishes = wishes
    assert fill(shop, "users", {"n": "n + 1"}, told=told).rows == ROWS
    assert killed
    assert rows(shop, "SELECT n, count(*) FROM users GROUP BY n") == [(1, ROWS)]


def test_killed_at_each_moment_it_goes_on_and_changes_each_row_exactly_once(tmp_path, shop):
    with shop.begin() as connection:
        connection.exec_driver_sql(anywhere.TABLE)
        values = ", ".join(f"({7 * i})" for i in range(anywhere.ROWS))
        connection.exec_driver_sql(f"INSERT INTO items (id) VALUES {values}")
    killed = anywhere.Killed(tmp_path, shop.url.render_as_string(hide_password=False))
    killed.kill_at(Moment(kind, number) for number in anywhere.NUMBERS for kind in anywhere.KINDS)
    ((done,),), ((rows_done, is_complete),) = rows(shop, anywhere.DONE), rows(shop, anywhere.CHECKPOINT)
    assert rows_done == done > 0
    assert is_complete <= (done == anywhere.ROWS)
    killed.end()
    assert rows(shop, anywhere.WRONG) == [(0,)]
    assert rows(shop, anywhere.CHECKPOINT) == [(anywhere.ROWS, 1)]


def test_a_row_with_bad_data_is_told_by_its_key(shop):
    with shop.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE users ADD CONSTRAINT short CHECK (email_lc <> 'user7@x')")
    with pytest.raises(BackfillIncomplete, match=r"s7.*00:00:00\.000007") as caught:
        fill(shop, "users", {"email_lc": "lower(email)"})
    assert "user7@x" not in str(caught.value)
    assert rows(shop, "SELECT email FROM users WHERE email_lc IS NULL") == [("User7@X",)]


def test_a_row_that_somebody_has_locked_keeps_no_other_row_waiting(shop):
    """It is tried alone, parked, and tried again at the end."""
    holder = shop.connect()
    holder.exec_driver_sql(
        "SELECT n FROM users WHERE shop = 's6' AND at = '2026-01-01 00:00:00.001500' FOR UPDATE"
    )

    def release():
        if done(shop) == ROWS - 1:
            holder.rollback()
        return {}

    told = Told()
    told.wishes = release
    try:
        assert fill(shop, "users", {"n": "n + 1"}, told=told).rows == ROWS
    finally:
        holder.close()
    assert rows(shop, "SELECT n, count(*) FROM users GROUP BY n") == [(1, ROWS)]


def test_a_table_without_transactions_is_refused_with_advice(shop):
    with shop.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id int PRIMARY KEY, n int) ENGINE=MyISAM")
    with pytest.raises(NotPossible, match="MyISAM, which has no transactions"):
        fill(shop, "notes", {"n": "1"})


@pytest.mark.parametrize(("rows", "width", "fewest", "most"), [(24_000, 1, 8, 9), (300, 2**17, 3, 4)])
def test_a_batch_takes_as_many_rows_as_they_are_narrow(shop, rows, width, fewest, most):
    """No batch is too long; they grow by half, as far as their bytes allow."""
    with shop.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE docs (id int PRIMARY KEY, n int, body longtext) ENGINE=InnoDB"
        )
        connection.exec_driver_sql(
            f"INSERT INTO docs (id, body) WITH RECURSIVE some AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM some "
            f"WHERE i < 300) SELECT a.i * 300 + b.i, repeat('x', {width}) FROM some a, some b LIMIT {rows}"
        )
    with shop.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE docs").fetchall()
    pace = Pace("Unhurried", 60_000.0, most_share=1.0)
    record = fill(shop, "docs", {"n": "1"}, batch_rows=None, pace=pace)
    assert (record.rows, fewest <= record.batches <= most) == (rows, True), record
