"""How a backfill gets to its database, what the server tells of expressions, and what it leaves behind."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from alembic import op

from headway import backfill
from headway.backfills.known import NoSuchKey
from headway.backfills.sizes import MOST_BYTES, MOST_WAL_BYTES
from headway.pace import Pace
from support.revisions import Told, revision, run
from support.scripts import apply, script_of

ROWS = 3000
UNHURRIED = Pace("Unhurried", 60_000.0, most_share=1.0)
"""No batch is too long."""
TABLE = f"""
    CREATE TABLE users (
        id bigint PRIMARY KEY, email text NOT NULL, n int NOT NULL DEFAULT 0, amount numeric(9, 2), doc json,
        email_lc text, at timestamptz
    );
    INSERT INTO users (id, email, amount)
    SELECT i, repeat('User', 20) || i, i / 7.0 FROM generate_series(1, {ROWS}) i;
    CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT lower($1)';
    ANALYZE users
"""


@pytest.fixture
def users(database):
    database.execute(TABLE)
    return database


def fill(database, *arguments, driver="psycopg", **named):
    told, found = Told(), []
    run(database.url(driver), lambda: found.append(backfill(*arguments, **named)), told)
    return found[0], next(facts for kind, facts in told.facts if kind == "BackfillStarted")


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "pg8000"])
@pytest.mark.parametrize("strategy", ["striped", "keyset"])
def test_every_driver_serves(users, driver, strategy):
    record, _ = fill(
        users, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL", driver=driver, strategy=strategy
    )
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)") == 0
    assert record.rows == ROWS
    assert record.wal_bytes > 0
    assert record.heap_growth_bytes is not None


@pytest.mark.parametrize(
    ("set_", "where", "strategy", "why"),
    [
        ({"email_lc": "lower(email)"}, None, "striped", "rows that are right already are left alone"),
        ({"email_lc": "email || ':' || id::text"}, None, "striped", "rows that are right already"),
        ({"amount": "id * 1.195"}, None, "striped", "rows that are right already are left alone"),
        ({"email_lc": "lowered(email)"}, None, "keyset", "the expression is volatile"),
        ({"email_lc": "lowered(email)"}, "email_lc IS NULL", "striped", "no longer meet the condition"),
        ({"at": "now()"}, None, "keyset", "the expression is stable"),
        ({"at": "CURRENT_TIMESTAMP"}, None, "keyset", "the expression is stable"),
        (
            {"email_lc": "gen_random_uuid()::text"},
            "email_lc IS NULL",
            "striped",
            "no longer meet the condition",
        ),
        ({"doc": "json_build_object('id', id)"}, "doc IS NULL", "striped", "no longer meet the condition"),
        ({"doc": "'{}'"}, None, "keyset", "no condition is known"),
        ({"n": "n + 1"}, None, "keyset", "the expression reads n"),
        ({"n": "users.n + 1"}, "email IS NOT NULL", "keyset", "the expression reads n"),
        ({"email_lc": "row_to_json(users)::text"}, None, "keyset", "the expression reads email_lc"),
        ({"n": "DEFAULT"}, None, "keyset", "the expression reads n"),
        ({"email_lc": "(SELECT max(email) FROM users AS u)"}, None, "keyset", "the expression is stable"),
    ],
    ids=str,
)
def test_what_the_server_tells_of_expressions_decides(users, set_, where, strategy, why):
    record, started = fill(users, "users", set_, where)
    assert (started["strategy"], why in started["reason"]) == (strategy, True), started["reason"]
    assert record.rows == ROWS
    assert users.scalar("SELECT count(*) FROM pg_class WHERE relname LIKE 'headway_expr%'") == 0


@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
def test_an_expression_that_reads_a_column_made_from_what_it_sets_is_applied_once(database, kind):
    database.execute(
        f"""CREATE TABLE items (id int PRIMARY KEY, "Net" numeric, vat numeric DEFAULT 2, other numeric,
        gross numeric GENERATED ALWAYS AS ("Net" * vat) {kind}, same numeric GENERATED ALWAYS AS (vat) {kind});
        INSERT INTO items (id, "Net") SELECT i, 10 FROM generate_series(1, {ROWS}) i"""
    )
    _, started = fill(database, "items", {"Net": "gross"})
    assert "the expression reads Net" in started["reason"]
    _, started = fill(database, "items", {"other": "gross", "Net": "same * 10"})
    assert "the expression reads other, Net" in started["reason"]
    assert database.rows('SELECT "Net", other, count(*) FROM items GROUP BY 1, 2') == [(20, 40, ROWS)]
    _, started = fill(database, "items", {"other": "gross + same"})
    assert started["strategy"] == "striped"


def test_a_partition_may_make_a_column_in_another_way_than_the_others(database):
    database.execute(
        f"""CREATE TABLE items (
            id int PRIMARY KEY, net numeric, at int, gross numeric GENERATED ALWAYS AS (at) STORED
        ) PARTITION BY RANGE (id);
        CREATE TABLE items_0 (
            id int NOT NULL, net numeric, at int, gross numeric GENERATED ALWAYS AS (net * 2) STORED
        );
        ALTER TABLE items ATTACH PARTITION items_0 FOR VALUES FROM (0) TO ({ROWS + 1});
        INSERT INTO items (id, net) SELECT i, 10 FROM generate_series(1, {ROWS}) i"""
    )
    fill(database, "items", {"net": "gross"})
    assert database.rows("SELECT net, count(*) FROM items GROUP BY 1") == [(20, ROWS)]


def test_a_condition_on_a_column_made_from_what_is_set_tells_updated_rows_apart(users):
    users.execute("ALTER TABLE users ADD is_done bool GENERATED ALWAYS AS (email_lc IS NOT NULL) STORED")
    _, started = fill(users, "users", {"email_lc": "lowered(email)"}, "NOT is_done")
    assert "updated rows no longer meet the condition" in started["reason"]
    assert users.scalar("SELECT count(*) FROM users WHERE is_done") == ROWS


def test_an_index_that_has_the_column_is_named_as_the_reason_for_no_stripes(users):
    users.execute("CREATE INDEX by_lower ON users (lower(email_lc))")
    _, started = fill(users, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
    assert "by_lower has the column" in started["reason"]


def test_names_that_must_be_quoted(database):
    database.execute(
        'CREATE SCHEMA "My Shop"; CREATE TABLE "My Shop"."Order %:x" ("select" int PRIMARY KEY, "to:do %" text);'
        'INSERT INTO "My Shop"."Order %:x" SELECT generate_series(1, 500)'
    )
    for strategy in ("striped", "keyset"):
        fill(
            database,
            "Order %:x",
            {"to:do %": '"select"::text'},
            schema="My Shop",
            strategy=strategy,
            name=strategy,
        )
    assert (
        database.scalar('SELECT count(*) FROM "My Shop"."Order %:x" WHERE "to:do %" = "select"::text') == 500
    )


def test_search_path_and_role_of_the_migration_connection_hold(users):
    users.execute(
        "CREATE SCHEMA shop; CREATE ROLE shop_owner; GRANT ALL ON SCHEMA shop TO shop_owner;"
        "GRANT SELECT ON users TO shop_owner;"
        "CREATE FUNCTION shop.mark() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'x' $$;"
        "CREATE TABLE shop.users (id int PRIMARY KEY, mark text, who text);"
        "ALTER TABLE shop.users OWNER TO shop_owner;"
        "INSERT INTO shop.users SELECT generate_series(1, 500)"
    )
    try:
        with revision(users.url()):
            op.execute("SET ROLE shop_owner")
            op.execute("SET search_path TO shop")
            backfill("users", {"mark": "mark()", "who": "current_user"}, "mark IS NULL")
        assert users.rows("SELECT DISTINCT mark, who FROM shop.users") == [("x", "shop_owner")]
        assert users.scalar("SELECT rows_done FROM shop.headway_backfill") == 500
    finally:
        users.execute("DROP OWNED BY shop_owner; DROP ROLE shop_owner")


@pytest.mark.parametrize(
    ("set_", "named"),
    [({"email_lc": "email_lc || email::text"}, {}), ({"email_lc": "email::text"}, {"exactly_once": True})],
)
def test_a_script_in_which_a_row_may_not_be_met_twice_has_one_plain_statement(set_, named):
    script = script_of(lambda: backfill("users", set_, "email LIKE '50%'", schema="public", **named))
    assert "-- headway.backfill: online, this is done in batches" in script
    (expression,) = set_.values()
    assert f"UPDATE public.users SET email_lc = {expression} WHERE email LIKE '50%';" in script


@pytest.mark.parametrize("where", [None, "id <= 10 -- the first ones"])
@pytest.mark.parametrize("exactly_once", [None, True])
def test_a_comment_at_the_end_of_a_text_hides_nothing_of_a_script(users, where, exactly_once):
    set_ = {"email_lc": "email || '!' -- louder"}
    script = script_of(lambda: backfill("users", set_, where, exactly_once=exactly_once))
    apply(users, script)
    rows = users.scalar("SELECT count(*) FROM users")
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc = email || '!'") == (10 if where else rows)


def test_a_script_goes_through_a_table_in_pieces_that_are_committed_each(database):
    """Also with partitions, names that are to be quoted, and per cent signs, quotes and dollars in expressions."""
    database.execute(
        """CREATE TABLE "My users" (id int, email text, "a:b" text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF "My users" FOR VALUES FROM (0) TO (15000);
        CREATE TABLE p2 PARTITION OF "My users" FOR VALUES FROM (15000) TO (20001);
        INSERT INTO "My users" SELECT i, repeat('x', 60) FROM generate_series(1, 20000) i"""
    )
    value = "'50%' || $a$it's$a$ || \"My users\".id::text"
    script = script_of(lambda: backfill("My users", {"a:b": value}, 'id % 2 = 0 AND "a:b" IS NULL'))
    apply(database, script)
    right = """"a:b" = '50%it''s' || id AND id % 2 = 0"""
    counts = f'SELECT count(*) FILTER (WHERE {right}), count("a:b") FROM "My users"'
    assert database.rows(counts) == [(10_000, 10_000)]
    transactions = 'SELECT count(DISTINCT xmin::text) FROM "My users" WHERE "a:b" IS NOT NULL'
    assert database.scalar(transactions) >= 3
    apply(database, script)
    assert database.rows(counts) == [(10_000, 10_000)]


def test_the_session_that_works_commits_for_itself_though_the_engine_does_not(users):
    """An engine in AUTOCOMMIT, or at another isolation level, changes nothing about a batch."""
    for level in ("AUTOCOMMIT", "SERIALIZABLE"):
        engine = sa.create_engine(users.url(), isolation_level=level)
        users.execute("UPDATE users SET n = 0")
        with engine.connect() as connection:
            from support.revisions import revision_on

            with revision_on(connection, Told()):
                backfill("users", {"n": "n + 1"}, name=level)
        engine.dispose()
        assert users.rows("SELECT DISTINCT n FROM users") == [(1,)]


UNDISTURBED = " WITH (autovacuum_enabled = off)"
"""While an ANALYZE of autovacuum reads the table, no page gives its dead rows back, and the index grows."""


def test_the_record_of_a_full_table_shows_what_stripes_are_for(database):
    """Ratios, not times: new versions stay in their pages, so heap and index hardly grow."""
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, pad text, email_lc text)"
        f"{UNDISTURBED};"
        "INSERT INTO users SELECT i, 'User' || i || '@example.com', repeat('x', 90) FROM generate_series(1, 60000) i;"
        "CREATE INDEX ON users (email)"
    )
    database.execute("VACUUM ANALYZE users")
    heap, index = database.rows("SELECT pg_relation_size('users'), pg_indexes_size('users')")[0]
    record, started = fill(database, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
    assert "16 stripes" in started["reason"]
    assert record.heap_growth_bytes <= 0.3 * heap
    assert record.index_growth_bytes <= 0.05 * index
    assert record.hot_ratio >= 0.6
    database.execute("ALTER TABLE users DROP COLUMN email_lc; ALTER TABLE users ADD COLUMN email_lc text")
    database.execute("VACUUM FULL ANALYZE users")
    in_order, _ = fill(database, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL", strategy="keyset")
    assert record.wal_bytes <= 0.65 * in_order.wal_bytes


def test_an_index_on_a_random_key_hardly_grows_either(database):
    database.execute(
        "CREATE TABLE users (id uuid PRIMARY KEY, is_active bool NOT NULL, pad text, status text)"
        f"{UNDISTURBED};"
        "INSERT INTO users SELECT gen_random_uuid(), i % 3 > 0, repeat('x', 110) "
        "FROM generate_series(1, 60000) i; REINDEX TABLE users"
    )
    database.execute("VACUUM ANALYZE users")
    index = database.scalar("SELECT pg_indexes_size('users')")
    set_ = {"status": "CASE WHEN is_active THEN 'active' ELSE 'inactive' END"}
    record, started = fill(database, "users", set_, "status IS NULL")
    assert "in 32 stripes, because users_pkey is in another order than the blocks" in started["reason"]
    assert record.index_growth_bytes <= 0.05 * index


def test_a_unique_index_whose_not_null_is_not_valid_is_no_key(database):
    """A walk along it would leave the rows out in which it is NULL."""
    database.execute(
        "CREATE TABLE users (id int UNIQUE, n int); INSERT INTO users VALUES (1, 1), (NULL, 1); "
        "ALTER TABLE users ADD CONSTRAINT given NOT NULL id NOT VALID"
    )
    with pytest.raises(NoSuchKey, match=r"no unique index on \(id\), in this order and without NULL"):
        fill(database, "users", {"n": "n + 1"}, key=["id"])
    database.execute("DELETE FROM users WHERE id IS NULL; ALTER TABLE users VALIDATE CONSTRAINT given")
    record, started = fill(database, "users", {"n": "n + 1"}, key=["id"])
    assert (record.rows, started["strategy"]) == (1, "keyset")


def test_a_column_in_an_index_grows_its_table_little_where_stripes_are_asked_for(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, is_active bool NOT NULL, pad text, status text);"
        "INSERT INTO users SELECT i, i % 3 > 0, repeat('x', 110) FROM generate_series(1, 60000) i;"
        "CREATE INDEX ON users (status)"
    )
    database.execute("VACUUM ANALYZE users")
    heap = database.scalar("SELECT pg_relation_size('users')")
    set_ = {"status": "CASE WHEN is_active THEN 'active' ELSE 'inactive' END"}
    record, started = fill(database, "users", set_, "status IS NULL", strategy="striped")
    assert "16 stripes" in started["reason"]
    assert record.heap_growth_bytes <= 0.35 * heap


@pytest.mark.parametrize(
    ("fillfactor", "later", "words"),
    [
        (50, 50, "in order, because blocks have room for the new versions"),
        (100, 100, "in 16 stripes"),
        (100, 50, "in 16 stripes"),
    ],
    ids=["half-empty", "full", "full-before-the-setting"],
)
def test_blocks_with_room_are_taken_in_order(database, fillfactor, later, words):
    """Whether they have room, not what is set for rows to come."""
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, email_lc text) "
        f"WITH (fillfactor={fillfactor});"
        "INSERT INTO users SELECT i, 'User' || i || '@example.com' FROM generate_series(1, 20000) i;"
        f"ALTER TABLE users SET (fillfactor = {later})"
    )
    database.execute("VACUUM ANALYZE users")
    record, started = fill(database, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
    assert words in started["reason"]
    assert record.hot_ratio >= 0.6


def test_the_checkpoint_keeps_one_row_of_plain_facts(users):
    fill(users, "users", {"email_lc": "lower(email)"}, "email_lc IS NULL")
    ((operation, table, columns, rows, is_complete, state),) = users.rows(
        "SELECT operation, table_name, columns, rows_done, is_complete, state FROM headway_backfill"
    )
    assert operation.startswith(": users (email_lc)")
    assert (table, columns, rows, is_complete) == ("users", "email_lc", ROWS, True)
    assert json.loads(state)["done"] == [str(users.scalar("SELECT 'users'::regclass::oid"))]


WIDE_ROWS, WIDE_BYTES = 300, 2**18
WIDE = f"""
    CREATE TABLE docs (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, body bytea, copy bytea);
    ALTER TABLE docs ALTER body SET STORAGE EXTERNAL, ALTER copy SET STORAGE EXTERNAL;
    INSERT INTO docs (id, body)
    SELECT i, decode(repeat('ab', {WIDE_BYTES}), 'hex') FROM generate_series(1, {WIDE_ROWS}) i;
    ANALYZE docs
"""
BATCHES = "SELECT count(*) FROM docs GROUP BY CAST(CAST(xmin AS text) AS bigint) ORDER BY min(id)"
"""Rows of each, for a batch is a transaction."""


def test_wide_rows_are_few_in_a_batch_from_the_first_one_on_where_the_update_writes_them(database):
    database.execute(WIDE)
    fill(database, "docs", {"copy": "body"}, "copy IS NULL", strategy="keyset", pace=UNHURRIED)
    first, *others = [rows for (rows,) in database.rows(BATCHES)]
    assert first <= MOST_BYTES / WIDE_BYTES
    assert max(others) <= MOST_WAL_BYTES / WIDE_BYTES


def test_what_an_update_leaves_in_toast_makes_no_batch_smaller(database):
    database.execute(WIDE)
    fill(database, "docs", {"n": "1"}, "n = 0", strategy="keyset", pace=UNHURRIED)
    assert database.rows(BATCHES) == [(WIDE_ROWS,)]
