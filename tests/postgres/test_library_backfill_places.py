"""A half-done backfill on a real server whose table was changed before it goes on: no row is done twice, none is
passed over.
"""

from __future__ import annotations

import pytest

from headway import backfill
from headway.backfills.worker import BackfillIncomplete
from support.revisions import StoppedByTest, Told, run

ROWS = 4000
TABLE = f"""
    CREATE TABLE users (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);
    INSERT INTO users (id) SELECT i FROM generate_series(1, {ROWS}) i;
    CREATE SCHEMA archive;
    ANALYZE users
"""
COUNT = ("users", {"n": "n + 1"})
PARTITIONS = f"""
    CREATE TABLE users (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
    CREATE TABLE a PARTITION OF users FOR VALUES FROM (0) TO (3001);
    CREATE TABLE b PARTITION OF users FOR VALUES FROM (3001) TO ({ROWS + 1});
    INSERT INTO users (id) SELECT i FROM generate_series(1, {ROWS}) i;
    CREATE SCHEMA archive;
    ANALYZE users
"""


def fill(database, told=None, arguments=COUNT, **named):
    found = []
    run(
        database.url(),
        lambda: found.append(backfill(*arguments, **{"batch_rows": 100, "name": "count", **named})),
        told or Told(),
    )
    return found[0]


def stopped(database, rows, arguments=COUNT, **named):
    told = Told()
    told.wishes = lambda: {"stop": database.scalar("SELECT sum(rows_done) FROM headway_backfill") >= rows}
    with pytest.raises(StoppedByTest):
        fill(database, told, arguments, **named)


def applied(database, table="users"):
    return database.rows(f"SELECT n, count(*) FROM {table} GROUP BY n ORDER BY n")


@pytest.mark.parametrize("rows", [500, 3300], ids=["half done", "done"])
@pytest.mark.parametrize("change", ["RENAME TO a_old", "SET SCHEMA archive"])
def test_a_partition_keeps_its_place_under_another_name(database, rows, change):
    database.execute(PARTITIONS)
    stopped(database, rows)
    database.execute(f"ALTER TABLE a {change}")
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


def test_a_table_keeps_its_place_in_another_schema(database):
    database.execute(TABLE)
    stopped(database, 500)
    database.execute("ALTER TABLE users SET SCHEMA archive")
    assert fill(database, schema="archive").rows == ROWS
    assert applied(database, "archive.users") == [(1, ROWS)]


def test_a_row_with_bad_data_is_tried_again_in_a_partition_that_has_another_name(database):
    database.execute(PARTITIONS + "; ALTER TABLE users ADD CONSTRAINT fit CHECK (id <> 77 OR n < 1)")
    with pytest.raises(BackfillIncomplete, match=r"\(77\) 23514"):
        fill(database)
    database.execute("ALTER TABLE users DROP CONSTRAINT fit; ALTER TABLE a RENAME TO a_old")
    fill(database)
    assert applied(database) == [(1, ROWS)]
