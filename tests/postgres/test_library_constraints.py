"""Checks, foreign keys and NOT NULL added in steps that hold nobody up, each of which a rerun goes on from."""

from __future__ import annotations

import re
import sys

import psycopg
import pytest
import sqlalchemy as sa

from headway import (
    add_check_online,
    add_foreign_key_online,
    drop_constraint_online,
    drop_not_null_online,
    set_not_null_online,
)
from headway.operations import foreign_keys
from headway.operations.constraint_work import ConstraintRefused, RowsInTheWay
from headway.short_locks import LockUnavailable, Patience
from support.catalog import catalog
from support.cuts import statements_cut
from support.revisions import StoppedByTest, Told, run

DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
QUICK = Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)
EMPTY = """
CREATE TABLE users (id int PRIMARY KEY, email text, "timestamp" text);
CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int);
CREATE SCHEMA shop;
CREATE TABLE shop.orders (LIKE orders)
"""
FILLED = """
INSERT INTO users SELECT i, 'u' || i, 't' FROM generate_series(1, 50) i;
INSERT INTO orders SELECT i, i, i FROM generate_series(1, 50) i
"""
OPERATIONS = {
    "check": lambda: add_check_online("positive", "orders", "total::int >= 0 AND total::text <> ':a %'"),
    "foreign key": lambda: add_foreign_key_online(
        "fk", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE"
    ),
    "not null": lambda: set_not_null_online("users", "email"),
}
PLAINLY = {
    "check": "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total::int >= 0 AND total::text <> ':a %')",
    "foreign key": "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE",
    "not null": "ALTER TABLE users ALTER email SET NOT NULL",
}
UNDO = {
    "check": lambda: drop_constraint_online("positive", "orders", "check"),
    "foreign key": lambda: drop_constraint_online("fk", "orders", "foreignkey"),
    "not null": lambda: drop_not_null_online("users", "email"),
}
each = pytest.mark.parametrize("kind", OPERATIONS)


@pytest.fixture
def shop(database):
    database.execute(EMPTY)
    database.execute(FILLED)
    return database


def plain(make_database, kind, filled=True):
    database = make_database()
    database.execute(EMPTY + (";" + FILLED if filled else ""))
    database.execute(PLAINLY[kind])
    return catalog(database)


@each
@pytest.mark.parametrize("driver", DRIVERS)
def test_it_leaves_what_the_plain_statement_leaves_and_a_rerun_and_an_undo_do_nothing_more(
    shop, make_database, kind, driver
):
    before = catalog(shop)
    for _ in range(2):
        run(shop.url(driver), OPERATIONS[kind])
        assert catalog(shop) == plain(make_database, kind)
    for _ in range(2):
        run(shop.url(driver), UNDO[kind])
        assert catalog(shop) == before


@each
def test_an_empty_table_is_as_good(database, make_database, kind):
    database.execute(EMPTY)
    run(database.url(), OPERATIONS[kind])
    assert catalog(database) == plain(make_database, kind, filled=False)


@each
def test_a_session_cut_at_any_statement_leaves_a_rerun_the_same_end(database, make_database, kind):
    end = plain(make_database, kind)
    cuts = statements_cut(
        database,
        lambda database: database.execute(EMPTY + ";" + FILLED),
        lambda database: run(database.url(), OPERATIONS[kind]),
        lambda database: catalog(database) == end or pytest.fail(str(catalog(database))),
    )
    assert sum("VALIDATE CONSTRAINT" in one for one in cuts) == 2
    assert sum(one.endswith("NOT VALID") and "pg_temp" not in one for one in cuts) == 2


@each
def test_a_session_cut_at_any_statement_of_the_undo(database, kind):
    database.execute(EMPTY)
    end = catalog(database)
    cuts = statements_cut(
        database,
        lambda database: database.execute(EMPTY + ";" + PLAINLY[kind]),
        lambda database: run(database.url(), UNDO[kind]),
        lambda database: catalog(database) == end or pytest.fail(str(catalog(database))),
    )
    assert len(cuts) == 2


LOCKED = {
    "check": lambda: add_check_online("positive", "orders", "total >= 0", patience=QUICK),
    "not null": lambda: set_not_null_online("orders", "total", patience=QUICK),
    "undo": lambda: drop_constraint_online("orders_pkey", "orders", patience=QUICK),
    "null": lambda: drop_not_null_online("orders", "id", patience=QUICK),
}


@pytest.mark.parametrize("operation", LOCKED.values(), ids=LOCKED)
def test_a_reader_that_stays_is_named_and_nothing_is_changed(shop, operation):
    before = catalog(shop)
    reader = psycopg.connect(shop.address, application_name="report")
    reader.execute("SELECT * FROM orders")
    with pytest.raises(LockUnavailable) as caught:
        run(shop.url(), operation)
    assert f"session {reader.info.backend_pid} (application report)" in str(caught.value)
    assert "ACCESS EXCLUSIVE on public.orders" in str(caught.value)
    assert catalog(shop) == before
    reader.close()


def test_a_foreign_key_is_added_beside_readers_and_names_writers_of_either_table(shop):
    reader = psycopg.connect(shop.address)
    reader.execute("SELECT * FROM orders, users")
    writer = psycopg.connect(shop.address)
    writer.execute("UPDATE users SET email = '' WHERE id = 1")
    operation = lambda: add_foreign_key_online(  # noqa: E731
        "fk", "orders", "users", ["user_id"], ["id"], patience=QUICK
    )
    with pytest.raises(LockUnavailable) as caught:
        run(shop.url(), operation)
    assert f"session {writer.info.backend_pid}" in str(caught.value)
    assert f"session {reader.info.backend_pid}" not in str(caught.value)
    writer.close()
    run(shop.url(), operation)
    assert shop.scalar("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'") is True
    reader.close()


@each
def test_validating_holds_up_neither_readers_nor_writers(shop, kind):
    """The lock of the step is looked at from within its transaction."""
    seen = {}

    def before(connection, cursor, statement, *_):
        if "VALIDATE CONSTRAINT" in statement:
            seen["timeout"] = connection.exec_driver_sql("SHOW lock_timeout").scalar()

    def after(connection, cursor, statement, *_):
        if "VALIDATE CONSTRAINT" in statement:
            seen["locks"] = connection.exec_driver_sql(
                "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' "
                "AND relation IN ('users'::regclass, 'orders'::regclass) ORDER BY 1"
            ).fetchall()

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", before)
    sa.event.listen(sa.engine.Engine, "after_cursor_execute", after)
    try:
        run(shop.url(), OPERATIONS[kind])
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", before)
        sa.event.remove(sa.engine.Engine, "after_cursor_execute", after)
    modes = {mode for (mode,) in seen["locks"]}
    assert "ShareUpdateExclusiveLock" in modes
    assert modes <= {"ShareUpdateExclusiveLock", "RowShareLock", "AccessShareLock"}
    assert seen["timeout"] == "10s"


BAD = {
    "check": (
        "UPDATE orders SET total = -id WHERE id <= 3",
        "3 rows of public.orders do not obey the check positive",
    ),
    "foreign key": (
        "UPDATE orders SET user_id = 411 WHERE id <= 3",
        "3 rows of public.orders do not obey the foreign key fk: they refer to no row of public.users",
    ),
    "not null": (
        "UPDATE users SET email = NULL WHERE id = 1",
        "A row of public.users does not obey NOT NULL of email",
    ),
}


@each
@pytest.mark.parametrize("driver", ["psycopg", "asyncpg", "pg8000"])
def test_rows_in_the_way_are_counted_and_what_was_added_is_taken_back(shop, kind, driver):
    statement, sentence = BAD[kind]
    shop.execute(statement)
    before = catalog(shop)
    with pytest.raises(RowsInTheWay) as caught:
        run(shop.url(driver), OPERATIONS[kind])
    assert str(caught.value).startswith(sentence)
    assert "run the revision again" in str(caught.value)
    assert "411" not in str(caught.value)
    assert caught.value.sqlstate in ("23503", "23514")
    assert catalog(shop) == before


def test_a_number_of_rows_is_counted_up_to_a_bound(shop):
    shop.execute("INSERT INTO orders SELECT i, 1, -1 FROM generate_series(100, 1200) i")
    with pytest.raises(RowsInTheWay, match=r"^More than 1000 rows of public\.orders do not obey"):
        run(shop.url(), OPERATIONS["check"])


def test_a_constraint_that_somebody_added_not_valid_is_validated_and_not_dropped_when_rows_are_in_the_way(
    shop,
):
    shop.execute("UPDATE orders SET total = -1 WHERE id = 1")
    shop.execute(f"{PLAINLY['check']} NOT VALID")
    before = catalog(shop)
    with pytest.raises(RowsInTheWay, match="stays NOT VALID"):
        run(shop.url(), OPERATIONS["check"])
    assert catalog(shop) == before
    shop.execute("ALTER TABLE orders DROP CONSTRAINT positive; UPDATE orders SET total = 1")
    shop.execute(f"{PLAINLY['check']} NOT VALID")
    run(shop.url(), OPERATIONS["check"])
    assert shop.scalar("SELECT convalidated FROM pg_constraint WHERE conname = 'positive'") is True


@pytest.mark.parametrize(
    ("there", "kind", "shown"),
    [
        (
            "ADD CONSTRAINT positive CHECK (total > 7)",
            "check",
            "It is: CHECK ((total > 7)). Wanted: CHECK (((total",
        ),
        (
            "ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users",
            "foreign key",
            "Wanted: FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE",
        ),
    ],
)
def test_another_definition_of_its_name_is_refused_and_both_are_shown(shop, there, kind, shown):
    shop.execute(f"ALTER TABLE orders {there} NOT VALID")
    before = catalog(shop)
    with pytest.raises(ConstraintRefused) as caught:
        run(shop.url(), OPERATIONS[kind])
    assert shown in str(caught.value)
    assert catalog(shop) == before


@pytest.mark.parametrize(
    "condition", ["orders.total > 0", '"orders".total > 0', "public.orders.total > 0", "is_paid(orders)"]
)
def test_a_condition_may_name_the_table_as_the_plain_statement_may(shop, make_database, condition):
    function = "CREATE FUNCTION is_paid(orders) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1.total > 0"
    plainly = make_database()
    for database in (shop, plainly):
        database.execute(f"{EMPTY if database is plainly else ''}; {function}")
    plainly.execute(f"ALTER TABLE orders ADD CONSTRAINT paid CHECK ({condition})")
    for _ in range(2):
        run(shop.url(), lambda: add_check_online("paid", "orders", condition))
        assert catalog(shop) == catalog(plainly)


def test_another_condition_that_names_the_table_is_refused(shop):
    run(shop.url(), lambda: add_check_online("paid", "orders", "orders.total > 0"))
    with pytest.raises(ConstraintRefused, match=r"Wanted: CHECK \(\(total > 1\)\)"):
        run(shop.url(), lambda: add_check_online("paid", "orders", "orders.total > 1"))


def test_a_condition_that_names_another_table_is_refused_by_the_server(shop):
    before = catalog(shop)
    with pytest.raises(sa.exc.DBAPIError, match="users"):
        run(shop.url(), lambda: add_check_online("paid", "orders", "users.id > 0"))
    assert catalog(shop) == before


def test_a_stop_is_heard_between_the_steps(shop):
    link = Told(wished={"stop": True, "stop_reason": "Superseded."})
    before = catalog(shop)
    with pytest.raises(StoppedByTest, match="Superseded"):
        run(shop.url(), OPERATIONS["check"], link)
    assert catalog(shop) == before


def test_names_come_from_the_naming_conventions(shop):
    metadata = sa.MetaData(
        naming_convention={
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        }
    )

    def work():
        add_check_online("positive", "orders", "total >= 0")
        add_foreign_key_online(None, "orders", "users", ["user_id"], ["id"])

    names = (
        "SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass "
        "AND contype IN ('c', 'f') ORDER BY 1"
    )
    run(shop.url(), work, target_metadata=metadata)
    assert [name for (name,) in shop.rows(names)] == ["ck_orders_positive", "fk_orders_user_id"]
    run(
        shop.url(),
        lambda: drop_constraint_online("positive", "orders", "check"),
        target_metadata=metadata,
    )
    assert [name for (name,) in shop.rows(names)] == ["fk_orders_user_id"]


LONG_NAMES = {"even": "ж" * 40, "odd": "a" + "ж" * 40, "three bytes": "€" * 30, "just fits": "a" + "ж" * 31}
"""More bytes than characters."""


@pytest.mark.parametrize(
    ("operation", "kind", "definition"),
    [
        (lambda name: add_check_online(name, "orders", "total >= 0"), "check", "CHECK (total >= 0)"),
        (
            lambda name: add_foreign_key_online(name, "orders", "users", ["user_id"], ["id"]),
            "foreignkey",
            "FOREIGN KEY (user_id) REFERENCES users (id)",
        ),
    ],
    ids=["check", "foreign key"],
)
@pytest.mark.parametrize("name", LONG_NAMES.values(), ids=LONG_NAMES)
def test_a_name_of_more_bytes_than_the_server_keeps_is_the_one_that_it_makes_of_it(
    shop, name, operation, kind, definition
):
    before = catalog(shop)
    shop.execute(f'ALTER TABLE orders ADD CONSTRAINT "{name}" {definition}')
    plainly = catalog(shop)
    run(shop.url(), lambda: drop_constraint_online(name, "orders", kind))
    assert catalog(shop) == before
    for _ in range(2):
        run(shop.url(), lambda: operation(name))
        assert catalog(shop) == plainly


@pytest.mark.parametrize(
    "operation",
    [
        lambda: add_check_online(None, "orders", "total >= 0"),
        lambda: add_foreign_key_online(None, "orders", "users", ["user_id"], ["id"]),
    ],
)
def test_a_constraint_that_a_rerun_would_not_know_again_is_refused(shop, operation):
    with pytest.raises(ValueError, match="has no name"):
        run(shop.url(), operation)


def test_schemas_and_odd_names_are_quoted(shop):
    shop.execute('CREATE TABLE shop."A b%: x" (id int, "Sel%ect: y" int)')

    def work():
        add_check_online("C: %", "A b%: x", sa.column("Sel%ect: y") > 3, schema="shop")
        set_not_null_online("A b%: x", "Sel%ect: y", schema="shop")
        add_foreign_key_online("F: %", "A b%: x", "users", ["Sel%ect: y"], ["id"], source_schema="shop")

    for driver in ("psycopg2", "asyncpg"):
        run(shop.url(driver), work)
    found = shop.rows(
        "SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'shop.\"A b%: x\"'::regclass "
        "AND contype IN ('c', 'f') ORDER BY 1"
    )
    assert found == [("C: %", True), ("F: %", True)]


def test_an_index_is_advised_where_none_begins_with_the_referencing_columns(shop):
    link = Told()
    run(shop.url(), OPERATIONS["foreign key"], link)
    assert link.notices()[0].startswith("No index of public.orders begins with (user_id)")
    shop.execute("CREATE INDEX ON orders (user_id, total)")
    link = Told()
    run(shop.url(), OPERATIONS["foreign key"], link)
    assert link.notices() == []


def test_an_index_of_a_part_of_the_rows_does_not_count(shop):
    shop.execute("CREATE INDEX ON orders (user_id) WHERE total > 7; CREATE INDEX ON orders (total, user_id)")
    link = Told()
    run(shop.url(), OPERATIONS["foreign key"], link)
    assert len(link.notices()) == 1


def test_a_foreign_key_of_several_columns_to_its_own_table(shop):
    shop.execute("ALTER TABLE users ADD UNIQUE (email, id)")
    for _ in range(2):
        run(
            shop.url(),
            lambda: add_foreign_key_online(
                "fk", "users", "users", ["email", "id"], ["email", "id"], deferrable=True
            ),
        )
    assert shop.scalar("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fk'") == (
        "FOREIGN KEY (email, id) REFERENCES users(email, id) DEFERRABLE"
    )


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_partitions_of_a_table_get_the_foreign_key_first(shop, driver):
    shop.execute(
        """CREATE TABLE sales (id int, user_id int) PARTITION BY LIST (id);
        CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
        CREATE TABLE sales_2 PARTITION OF sales FOR VALUES IN (2);
        INSERT INTO sales VALUES (1, 1), (2, 2)"""
    )
    for _ in range(2):
        run(
            shop.url(driver),
            lambda: add_foreign_key_online("fk", "sales", "users", ["user_id"], ["id"]),
        )
    found = shop.rows(
        "SELECT conrelid::regclass::text, convalidated, conparentid <> 0 FROM pg_constraint "
        "WHERE contype = 'f' ORDER BY 1"
    )
    assert found == [("sales", True, False), ("sales_1", True, True), ("sales_2", True, True)]


SALES = """
CREATE TABLE sales (id int, user_id int) PARTITION BY LIST (id);
CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
CREATE TABLE sales_2 PARTITION OF sales FOR VALUES IN (2);
INSERT INTO sales VALUES (1, 1), (2, 411)
"""
TO_USERS = "ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID"


@pytest.fixture
def sales(shop, monkeypatch):
    """A partition with an orphan after one without, and a server that adds no NOT VALID foreign key to both."""
    monkeypatch.setattr(foreign_keys, "NOT_VALID_ON_PARTITIONED", sys.maxsize)
    shop.execute(SALES)
    return shop


def refer_to_users(**named):
    add_foreign_key_online("fk", "sales", "users", ["user_id"], ["id"], **named)


def test_rows_of_one_partition_in_the_way_take_the_foreign_key_from_all_that_got_it(sales):
    before = catalog(sales)
    with pytest.raises(RowsInTheWay, match=r"^A row of public\.sales_2 .* so nothing was changed\."):
        run(sales.url(), refer_to_users)
    assert catalog(sales) == before
    sales.execute("UPDATE sales SET user_id = 2 WHERE id = 2")
    run(sales.url(), refer_to_users)
    assert sales.scalar("SELECT count(*) FROM pg_constraint WHERE conname = 'fk' AND convalidated") == 3


def test_the_foreign_key_that_a_partition_had_before_is_kept_and_told(sales):
    sales.execute(f"ALTER TABLE sales_1 {TO_USERS}")
    with pytest.raises(RowsInTheWay) as caught:
        run(sales.url(), refer_to_users)
    assert (
        "The constraint was taken back. That of public.sales_1 was NOT VALID before, and is valid now."
        in str(caught.value)
    )
    query = "SELECT conrelid::regclass::text, convalidated FROM pg_constraint WHERE conname = 'fk'"
    assert sales.rows(query) == [("sales_1", True)]


def test_the_foreign_key_of_the_partition_with_the_rows_stays_if_it_was_there_before(sales):
    sales.execute(f"ALTER TABLE sales_2 {TO_USERS}")
    before = catalog(sales)
    with pytest.raises(
        RowsInTheWay, match=r"The constraint fk stays NOT VALID, as it was: new rows obey it\. Look"
    ):
        run(sales.url(), refer_to_users)
    assert catalog(sales) == before


def test_a_reader_that_keeps_a_foreign_key_from_being_taken_back_is_named(shop):
    shop.execute("UPDATE orders SET user_id = 411 WHERE id = 1")
    reader = psycopg.connect(shop.address)
    reader.execute("SELECT * FROM users")
    with pytest.raises(LockUnavailable) as caught:
        run(
            shop.url(),
            lambda: add_foreign_key_online("fk", "orders", "users", ["user_id"], ["id"], patience=QUICK),
        )
    assert f"session {reader.info.backend_pid}" in str(caught.value)
    reader.close()


def test_rows_that_are_null_in_part_are_in_the_way_of_a_full_match(shop):
    shop.execute(
        "ALTER TABLE users ADD UNIQUE (id, email); ALTER TABLE orders ADD email text; "
        "UPDATE orders SET email = 'u' || user_id; UPDATE orders SET email = NULL WHERE id <= 2; "
        "UPDATE orders SET email = NULL, user_id = NULL WHERE id = 3; UPDATE orders SET user_id = 411 WHERE id = 4"
    )
    with pytest.raises(RowsInTheWay) as caught:
        run(
            shop.url(),
            lambda: add_foreign_key_online(
                "fk", "orders", "users", ["user_id", "email"], ["id", "email"], match="FULL"
            ),
        )
    assert str(caught.value).startswith(
        "3 rows of public.orders do not obey the foreign key fk: they refer to no row of public.users, or are NULL "
        "in part."
    )
    shown = re.search(r"SELECT \* (FROM .*) LIMIT 10", str(caught.value)).group(1)
    assert shop.rows(f"SELECT s.id {shown} ORDER BY 1") == [(1,), (2,), (4,)]


def test_not_null_uses_a_valid_check_that_is_there_already(shop):
    shop.execute("ALTER TABLE users ADD CONSTRAINT own CHECK (timestamp IS NOT NULL)")
    seen = []

    def before(connection, cursor, statement, *_):
        seen.append(statement)

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", before)
    try:
        run(shop.url(), lambda: set_not_null_online("users", "timestamp"))
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", before)
    assert [one for one in seen if one.startswith("ALTER")] == [
        "ALTER TABLE public.users ALTER COLUMN timestamp SET NOT NULL"
    ]
    assert shop.scalar("SELECT count(*) FROM pg_constraint WHERE conname = 'own'") == 1


def test_set_not_null_reads_no_row_once_the_check_is_valid(shop):
    """The server says so at DEBUG1."""
    messages = []
    one = shop.connect()
    one.add_notice_handler(lambda notice: messages.append(notice.message_primary))
    one.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (email IS NOT NULL)")
    one.execute("SET client_min_messages = debug1")
    one.execute("ALTER TABLE users ALTER email SET NOT NULL")
    assert any("sufficient to prove that it does not contain nulls" in message for message in messages)


NULLS_LEFT = """
UPDATE users SET email = NULL WHERE id <= 3;
ALTER TABLE users ADD CONSTRAINT given NOT NULL email NOT VALID
"""
NOT_NULLS = (
    "SELECT k.conname::text, k.convalidated FROM pg_constraint k JOIN pg_attribute a "
    "ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum] WHERE a.attname = 'email'"
)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_not_null_that_is_not_valid_is_validated_and_stays_when_rows_are_null(shop, driver):
    shop.execute(NULLS_LEFT)
    with pytest.raises(RowsInTheWay) as caught:
        run(shop.url(driver), OPERATIONS["not null"])
    assert str(caught.value).startswith(
        "3 rows of public.users do not obey NOT NULL of email. The constraint given"
    )
    assert "stays NOT VALID, as it was: new rows obey it" in str(caught.value)
    assert "SELECT * FROM public.users WHERE email IS NULL LIMIT 10" in str(caught.value)
    assert shop.rows(NOT_NULLS) == [("given", False)]
    shop.execute("UPDATE users SET email = 'u' WHERE email IS NULL")
    run(shop.url(driver), OPERATIONS["not null"])
    assert shop.rows(NOT_NULLS) == [("given", True)]


def test_a_not_null_that_is_not_valid_needs_no_check_and_no_lock_that_holds_anybody_up(shop):
    shop.execute("ALTER TABLE users ADD CONSTRAINT given NOT NULL email NOT VALID")
    reader = psycopg.connect(shop.address)
    reader.execute("SELECT * FROM users")
    writer = psycopg.connect(shop.address)
    writer.execute("UPDATE users SET email = 'changed' WHERE id = 1")
    run(shop.url(), lambda: set_not_null_online("users", "email", patience=QUICK))
    assert shop.rows(NOT_NULLS) == [("given", True)]
    reader.close()
    writer.close()


def test_a_check_that_an_interrupted_run_left_goes_where_a_not_null_was_added_since(shop):
    shop.execute(
        "ALTER TABLE users ADD CONSTRAINT headway_users_email_not_null CHECK (email IS NOT NULL) NOT VALID"
    )
    shop.execute("ALTER TABLE users ADD CONSTRAINT given NOT NULL email NOT VALID")
    run(shop.url(), OPERATIONS["not null"])
    assert shop.rows(NOT_NULLS) == [("given", True)]


def test_the_not_null_of_a_partitioned_table_is_validated_with_those_of_its_partitions(shop):
    shop.execute(
        "CREATE TABLE sales (id int, email text) PARTITION BY LIST (id); "
        "CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1); INSERT INTO sales VALUES (1, NULL); "
        "ALTER TABLE sales ADD CONSTRAINT given NOT NULL email NOT VALID"
    )
    with pytest.raises(RowsInTheWay, match=r"^A row of public\.sales does not obey NOT NULL of email"):
        run(shop.url(), lambda: set_not_null_online("sales", "email"))
    shop.execute("UPDATE sales SET email = 'u'")
    run(shop.url(), lambda: set_not_null_online("sales", "email"))
    assert shop.rows(NOT_NULLS) == [("given", True), ("given", True)]


def test_a_not_null_that_is_not_valid_is_dropped_as_any_other(shop):
    shop.execute(NULLS_LEFT)
    run(shop.url(), UNDO["not null"])
    assert shop.rows(NOT_NULLS) == []


def test_a_column_that_is_not_there_is_told(shop):
    with pytest.raises(ConstraintRefused, match=r"no column mail in public\.users"):
        run(shop.url(), lambda: set_not_null_online("users", "mail"))


def test_a_partitioned_table_becomes_not_null_with_its_partitions(shop):
    shop.execute(
        "CREATE TABLE sales (id int, user_id int) PARTITION BY LIST (id); "
        "CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1); INSERT INTO sales VALUES (1, 1)"
    )
    before = catalog(shop)
    run(shop.url(), lambda: set_not_null_online("sales", "user_id"))
    assert shop.rows(
        "SELECT attnotnull FROM pg_attribute WHERE attname = 'user_id' AND attrelid::regclass::text ~ 'sales'"
    ) == [(True,), (True,)]
    run(shop.url(), lambda: drop_not_null_online("sales", "user_id"))
    assert catalog(shop) == before
