"""A half-done backfill on a real server whose table was changed before it goes on: no row is done twice, none is
passed over.
"""

from __future__ import annotations

import json
import re

import pytest

from headway import backfill
from headway.backfills.claim import Changed
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


def two_keys(database):
    """The second one goes through the rows in another order."""
    database.execute(
        f"{TABLE}; ALTER TABLE users ADD COLUMN other bigint; UPDATE users SET other = {ROWS} - id"
    )
    database.execute("ALTER TABLE users ALTER COLUMN other SET NOT NULL")


OTHER_KEY = (
    "ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ADD PRIMARY KEY (other);"
    "ALTER TABLE users RENAME COLUMN id TO id_old; ALTER TABLE users RENAME COLUMN other TO id;"
)


@pytest.mark.parametrize(
    "change",
    [
        f"{OTHER_KEY} CREATE UNIQUE INDEX ON users (id_old)",
        "CREATE UNIQUE INDEX a ON users (id);"
        "ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ADD PRIMARY KEY (other)",
        "ALTER TABLE users ALTER COLUMN id TYPE int",
    ],
    ids=["it has another name", "the primary key is another", "another type of integer"],
)
def test_it_goes_on_along_the_key_that_it_was_begun_with(database, change):
    two_keys(database)
    stopped(database, 500)
    database.execute(change)
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


def test_it_goes_on_along_its_unique_index_when_there_is_one_before_it(database):
    two_keys(database)
    database.execute("ALTER TABLE users DROP CONSTRAINT users_pkey; CREATE UNIQUE INDEX second ON users (id)")
    stopped(database, 500)
    database.execute("CREATE UNIQUE INDEX first ON users (other)")
    stopped(database, 1000)
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


@pytest.mark.parametrize(
    "change",
    [
        OTHER_KEY,
        "ALTER TABLE users DROP CONSTRAINT users_pkey",
        "ALTER TABLE users ALTER COLUMN id TYPE numeric",
        "ALTER TABLE users DROP COLUMN id; ALTER TABLE users RENAME COLUMN other TO id;"
        "CREATE UNIQUE INDEX ON users (id)",
    ],
    ids=["another column", "none", "another type", "another column of the name"],
)
def test_it_is_refused_where_the_key_that_it_went_along_is_gone(database, change):
    two_keys(database)
    stopped(database, 500)
    before = applied(database)
    database.execute(change)
    with pytest.raises(Changed, match=r"half done, each row exactly once, along the key \(id\)"):
        fill(database)
    assert applied(database) == before


def test_it_goes_on_once_the_key_is_made_again(database):
    two_keys(database)
    stopped(database, 500)
    database.execute("ALTER TABLE users DROP CONSTRAINT users_pkey")
    with pytest.raises(Changed, match="which may be a unique index"):
        fill(database)
    database.execute("CREATE UNIQUE INDEX ON users (id)")
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


def test_with_another_collation_the_order_is_another(database):
    database.execute(
        'CREATE TABLE users (id text COLLATE "C" PRIMARY KEY, n int NOT NULL DEFAULT 0);'
        f"INSERT INTO users (id) SELECT i FROM generate_series(1, {ROWS}) i"
    )
    stopped(database, 500)
    database.execute('ALTER TABLE users ALTER COLUMN id TYPE text COLLATE "POSIX"')
    with pytest.raises(Changed, match="a type or collation has changed"):
        fill(database)


def test_it_begins_again_where_a_row_may_be_updated_twice(database):
    two_keys(database)
    set_to_id = ("users", {"n": "other"})
    stopped(database, 500, set_to_id, strategy="keyset", exactly_once=False)
    database.execute(OTHER_KEY.replace("ALTER TABLE users RENAME", "--"))
    told = Told()
    fill(database, told, set_to_id, strategy="keyset", exactly_once=False)
    assert database.scalar("SELECT count(*) FROM users WHERE n IS DISTINCT FROM other") == 0
    assert any("the key that it went along has changed" in one for one in told.notices())


def test_one_that_is_complete_is_not_done_again_along_another_key(database):
    two_keys(database)
    fill(database)
    database.execute(OTHER_KEY)
    fill(database)
    assert applied(database) == [(1, ROWS)]


def test_the_key_is_remembered_when_the_session_is_lost_before_the_first_batch(database):
    two_keys(database)
    told, ended = Told(), []

    def end_session(kind, facts):
        if kind == "BackfillStarted":
            number = "CAST(split_part(owner, ' ', 1) AS int)"
            ended.extend(
                database.rows(f"SELECT rows_done, pg_terminate_backend({number}) FROM headway_backfill")
            )

    told.on_report = end_session
    told.wishes = lambda: {
        "stop": bool(ended) and database.scalar("SELECT rows_done FROM headway_backfill") >= 500
    }
    with pytest.raises(StoppedByTest):
        fill(database, told)
    assert ended == [(0, True)]
    database.execute(OTHER_KEY)
    with pytest.raises(Changed, match="half done"):
        fill(database)


def two_of_one_column(database, told=None):
    """The second reads what the first has set."""

    def work():
        backfill("users", {"n": "7"}, name="set")
        backfill("users", {"n": "n + 5"}, name="add", batch_rows=100)

    run(database.url(), work, told or Told())


@pytest.mark.parametrize("rows", [500, None], ids=["half done", "complete"])
def test_what_another_backfill_was_applied_to_is_not_set_again(database, rows):
    database.execute(TABLE)
    told, again = Told(), Told()
    told.wishes = lambda: {
        "stop": rows
        and bool(
            database.scalar(f"SELECT 1 FROM headway_backfill WHERE operation = 'add' AND rows_done >= {rows}")
        )
    }
    if rows:
        with pytest.raises(StoppedByTest):
            two_of_one_column(database, told)
    else:
        two_of_one_column(database)
    two_of_one_column(database, again)
    assert applied(database) == [(12, ROWS)]
    assert any(
        "set was complete already, and add was applied to what it set" in one for one in again.notices()
    )


@pytest.mark.parametrize(
    ("second", "schema"),
    [({"m": "m + 5"}, None), ({"n": "8"}, None), ({"n": "n + 5"}, "archive")],
    ids=["of another column", "that reads nothing", "of another table"],
)
def test_another_backfill_keeps_none_from_being_looked_at_again(database, second, schema):
    database.execute(f"{TABLE}; ALTER TABLE users ADD COLUMN m int NOT NULL DEFAULT 0")
    database.execute("CREATE TABLE archive.users (LIKE users INCLUDING ALL)")
    fill(database, arguments=("users", {"n": "7"}))
    fill(database, arguments=("users", second), name="other", schema=schema)
    database.execute("INSERT INTO users VALUES (0)")
    fill(database, arguments=("users", {"n": "7"}))
    assert database.scalar("SELECT n FROM users WHERE id = 0") == 7


def test_one_that_another_has_read_is_set_again_where_the_column_is_another(database):
    database.execute(TABLE)
    two_of_one_column(database)
    database.execute("ALTER TABLE users DROP COLUMN n; ALTER TABLE users ADD COLUMN n int NOT NULL DEFAULT 0")
    two_of_one_column(database)
    assert applied(database) == [(12, ROWS)]


RESTORED = """
    ALTER TABLE users RENAME TO dumped;
    CREATE TABLE users (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);
    INSERT INTO users SELECT id, n FROM dumped; DROP TABLE dumped
"""


def refused_as_another(database, words, **named):
    before = applied(database)
    with pytest.raises(Changed, match="another table now than the one that it was begun in") as caught:
        fill(database, **named)
    assert applied(database) == before
    assert words in str(caught.value)
    return str(caught.value)


def way_out(said, verb):
    """The statement that the sentence gives."""
    return re.search(rf"{verb} .*?WHERE operation = 'count'", said)[0]


def test_one_that_is_half_done_goes_on_in_a_restored_table_once_that_is_said(database):
    database.execute(TABLE)
    stopped(database, 500)
    database.execute(RESTORED)
    done = database.scalar("SELECT rows_done FROM headway_backfill")
    said = refused_as_another(database, f"((id) above ({done}) up to (4000) still without it)")
    database.execute(way_out(said, "UPDATE"))
    stopped(database, 1000)
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


def test_one_that_several_sessions_have_half_done_goes_on_in_a_restored_table(database):
    database.execute(TABLE)
    stopped(database, 500)
    # As another session would have left it: two shares, of which it has done a part.
    done = database.scalar("SELECT rows_done FROM headway_backfill")
    (state,) = (json.loads(text) for (text,) in database.rows("SELECT state FROM headway_backfill"))
    first, second = (
        dict(state, place=dict(state["place"], until=["2000"]), is_shared=True),
        dict(state, place=dict(state["place"], after=["2000"]), tally={}),
    )
    database.execute(
        f"UPDATE headway_backfill SET state = $${json.dumps(first)}$$;"
        "INSERT INTO headway_backfill SELECT operation, 1, table_name, columns, 0, false, fence, owner, digest, "
        f"signature, choice, $${json.dumps(second)}$$, started_at, updated_at FROM headway_backfill"
    )
    database.execute(RESTORED)
    said = refused_as_another(database, f"(id) above ({done}) up to (2000) and above (2000) up to (4000)")
    database.execute(way_out(said, "UPDATE"))
    fill(database)
    assert applied(database) == [(1, ROWS)]


def test_one_that_is_complete_is_not_applied_again_to_a_restored_table(database):
    database.execute(TABLE)
    fill(database)
    database.execute(RESTORED)
    said = refused_as_another(database, "then it counts as complete")
    database.execute(way_out(said, "UPDATE"))
    fill(database)
    assert applied(database) == [(1, ROWS)]


def test_it_begins_again_in_a_table_that_was_made_anew_once_that_is_said(database):
    database.execute(TABLE)
    stopped(database, 500)
    database.execute(f"{RESTORED}; UPDATE users SET n = 0")
    said = refused_as_another(database, "then it begins again")
    database.execute(way_out(said, "DELETE"))
    fill(database)
    assert applied(database) == [(1, ROWS)]


@pytest.mark.parametrize("rows", [500, None], ids=["half done", "complete"])
def test_it_begins_again_in_a_table_that_was_made_anew_and_has_no_rows(database, rows):
    database.execute(TABLE)
    stopped(database, rows) if rows else fill(database)
    database.execute(f"{RESTORED}; TRUNCATE users")
    assert fill(database).rows == 0


def test_a_key_whose_order_is_another_on_another_server_is_not_gone_on_along(database):
    database.execute(f"{TABLE}; ALTER TABLE users ALTER COLUMN id TYPE text")
    stopped(database, 500)
    database.execute(RESTORED.replace("bigint", "text"))
    said = refused_as_another(database, "a backfill with a where= and a name= of its own")
    assert "UPDATE" not in said


INTO_PARTITIONS = f"""
    ALTER TABLE users RENAME TO dumped;
    CREATE TABLE users (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
    CREATE TABLE every PARTITION OF users FOR VALUES FROM (0) TO ({ROWS + 1});
    INSERT INTO users SELECT id, n FROM dumped; DROP TABLE dumped
"""


@pytest.mark.parametrize(
    ("table", "restored"), [(PARTITIONS, RESTORED), (TABLE, INTO_PARTITIONS)], ids=["before", "after"]
)
def test_of_a_partitioned_table_it_is_not_known_which_partition_is_which_after_a_restore(
    database, table, restored
):
    database.execute(table)
    stopped(database, 500)
    database.execute(restored)
    assert "UPDATE" not in refused_as_another(database, "a backfill with a where= and a name= of its own")


def test_a_column_that_was_dropped_and_added_again_has_nothing_twice(database):
    database.execute(TABLE)
    stopped(database, 500)
    database.execute("ALTER TABLE users DROP COLUMN n; ALTER TABLE users ADD COLUMN n int NOT NULL DEFAULT 0")
    assert fill(database).rows == ROWS
    assert applied(database) == [(1, ROWS)]


def test_what_may_be_done_twice_begins_again_in_a_restored_table(database):
    database.execute(TABLE)
    arguments = ("users", {"n": "1"}, "n = 0")
    stopped(database, 500, arguments)
    database.execute(RESTORED)
    fill(database, arguments=arguments)
    assert applied(database) == [(1, ROWS)]
