"""A column gets a new type while code that knows the old one and code that knows the new one write at once."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from headway.columns.wanted import CannotChange
from headway.operations.change_type import (
    change_type_contract,
    change_type_expand,
    change_type_undo,
)
from headway.short_locks import LockUnavailable, Patience
from support.catalog import catalog
from support.columns import SHOP, SMALL, Application, cut_everywhere, running
from support.revisions import StoppedByTest, Told, run

BIG = sa.BigInteger()
TEXT_TO_NUMBER = {"using": "price::int", "back": "price::text"}


@pytest.fixture
def shop(database):
    database.execute(SHOP.format(rows=100))
    return database


@pytest.fixture
def items(database):
    database.execute(
        "CREATE TABLE items (id int PRIMARY KEY, price text NOT NULL DEFAULT '0');"
        "INSERT INTO items SELECT i, i::text FROM generate_series(1, 20) i"
    )
    return database


def expand(database, table="users", column="id", type_=BIG, **more):
    told = Told()
    run(database.url(), lambda: change_type_expand(table, column, type_, **more), told)
    return told


def contract(database, table="users", column="id", type_=BIG, **more):
    told = Told()
    run(database.url(), lambda: change_type_contract(table, column, type_, **more), told)
    return told


def undo(database, table="users", column="id", **more):
    told = Told()
    run(database.url(), lambda: change_type_undo(table, column, **more), told)
    return told


def expand_items(database, **more):
    return expand(database, "items", "price", sa.Integer, **(TEXT_TO_NUMBER | more))


def contract_items(database):
    return contract(database, "items", "price", sa.Integer)


def without_checkpoints(database):
    return catalog(database, "headway_backfill")


def refused(work, database, *words, **more):
    before = without_checkpoints(database)
    with pytest.raises(CannotChange) as caught:
        work(database, **more)
    assert without_checkpoints(database) == before
    for word in words:
        assert word in str(caught.value)


def test_a_primary_key_that_others_refer_to_grows_as_if_it_had_been_rewritten(shop, make_database):
    expand(shop)
    contract(shop)
    plain = make_database()
    plain.execute(SHOP.format(rows=100))
    plain.execute("ALTER TABLE users ALTER id TYPE bigint; ALTER SEQUENCE users_id_seq AS bigint")
    assert without_checkpoints(shop) == without_checkpoints(plain)
    assert shop.scalar(
        "SELECT seqtypid::regtype::text FROM pg_sequence WHERE seqrelid = 'users_id_seq'::regclass"
    ) == ("bigint")
    shop.execute("SELECT setval('users_id_seq', 3000000000)")
    shop.execute("INSERT INTO users (name) VALUES ('large')")
    assert shop.scalar("SELECT max(id) FROM users") == 3000000001
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        shop.execute("INSERT INTO orders (user_id) VALUES (4711)")
    shop.execute("DELETE FROM users WHERE id = 1")
    assert shop.scalar("SELECT count(*) FROM orders WHERE user_id = 1") == 0


IDENTITY = """
    CREATE TABLE items (id int GENERATED {kind} AS IDENTITY (START WITH 5 INCREMENT BY 5 CACHE 1) PRIMARY KEY, n int);
    INSERT INTO items (n) SELECT i FROM generate_series(1, 10) i
"""
SEQUENCES = """
    SELECT seqrelid::regclass::text, seqtypid::regtype::text, seqstart, seqincrement, seqmin, seqmax, seqcache,
      seqcycle
    FROM pg_sequence
"""


@pytest.mark.parametrize("kind", ["ALWAYS", "BY DEFAULT"])
def test_an_identity_grows_as_if_it_had_been_rewritten(database, make_database, kind):
    database.execute(IDENTITY.format(kind=kind))
    told = expand(database, "items")
    assert any("The identity of public.items.id" in one for one in told.notices())
    database.execute("INSERT INTO items (n) VALUES (11)")
    assert database.scalar("SELECT count(*) FROM items WHERE id = id__new") == 11
    contract(database, "items")
    plain = make_database()
    plain.execute(IDENTITY.format(kind=kind) + "; ALTER TABLE items ALTER id TYPE bigint")
    assert without_checkpoints(database) == without_checkpoints(plain)
    assert database.rows(SEQUENCES) == plain.rows(SEQUENCES)
    generated = (
        "SELECT attidentity::text FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'id'"
    )
    assert database.scalar(generated) == plain.scalar(generated)
    database.execute("INSERT INTO items (n) VALUES (12)")
    assert database.scalar("SELECT max(id) FROM items") == 60


def write_orders(connection, number):
    """The application goes on with the names that it knows, also when the types change below it."""
    (key,) = connection.execute(
        "INSERT INTO users (name) VALUES (%s) RETURNING id", (f"n {number}",), prepare=False
    ).fetchone()
    connection.execute("INSERT INTO orders (user_id, n) VALUES (%s, 1)", (key,), prepare=False)
    connection.execute("UPDATE orders SET n = 2 WHERE user_id = %s", (key,), prepare=False)
    connection.execute("DELETE FROM users WHERE id = %s", (key - 50,), prepare=False)


def test_the_application_writes_all_the_while_without_an_error_until_it_has_grown(shop):
    shop.execute("INSERT INTO users (name) SELECT 'more ' || i FROM generate_series(1, 20000) i")
    application = Application(shop, write_orders)
    with running(application):
        expand(shop)
        contract(shop)
    assert shop.scalar("SELECT count(*) FROM users WHERE name LIKE 'n %'") == min(application.written, 50)
    assert shop.scalar(
        "SELECT format_type(atttypid, 0) FROM pg_attribute WHERE attname = 'id' AND attrelid = 'users'::regclass"
    ) == ("bigint")


def writing(statement):
    return lambda connection, number: connection.execute(statement, (number,))


def test_new_code_writes_the_shadow_and_old_code_the_column(items):
    expand_items(items)
    old = Application(items, writing("UPDATE items SET price = %s::text WHERE id %% 2 = 0"))
    new = Application(items, writing("UPDATE items SET price__new = %s WHERE id %% 2 = 1"))
    with running(old, new):
        expand_items(items)
    assert items.scalar("SELECT count(*) FROM items WHERE price::int <> price__new") == 0
    contract_items(items)
    assert {price for (price,) in items.rows("SELECT price FROM items")} <= {old.written - 1, new.written - 1}


def test_who_blocks_the_swap_on_another_table_is_named_and_nothing_is_changed(shop):
    expand(shop)
    before = catalog(shop)
    reader = shop.connect(autocommit=False)
    reader.execute("SET application_name = 'a long report'; SELECT count(*) FROM orders")
    with pytest.raises(LockUnavailable, match=r'on "public"\."orders".*a long report'):
        contract(shop, patience=Patience(give_up_after_seconds=0.5))
    # NOT NULL of the shadow was set in a step before.
    shadow = [row for row in catalog(shop)["columns"] if row[1] != "id__new"]
    assert shadow == [row for row in before["columns"] if row[1] != "id__new"]
    reader.rollback()
    contract(shop)


def test_default_and_not_null_are_converted(items):
    expand_items(items)
    items.execute("INSERT INTO items (id) VALUES (100)")
    items.execute("INSERT INTO items (id, price__new) VALUES (101, 7)")
    contract_items(items)
    items.execute("INSERT INTO items (id) VALUES (102)")
    assert items.rows("SELECT id, price FROM items WHERE id >= 100 ORDER BY id") == [
        (100, 0),
        (101, 7),
        (102, 0),
    ]
    with pytest.raises(psycopg.errors.NotNullViolation):
        items.execute("UPDATE items SET price = NULL WHERE id = 100")


def test_values_that_do_not_convert_are_named_before_anything_is_changed(items):
    items.execute("UPDATE items SET price = 'secret' WHERE id IN (7, 9)")
    refused(expand_items, items, "id=7; id=9", "does not convert")
    with pytest.raises(CannotChange) as caught:
        expand_items(items)
    assert "secret" not in str(caught.value)


def test_a_value_that_does_not_convert_and_comes_later_is_kept_and_named_by_the_contract_step(items):
    expand_items(items)
    items.execute("UPDATE items SET price = 'many' WHERE id = 7")
    assert items.rows("SELECT price, price__new FROM items WHERE id = 7") == [("many", None)]
    refused(contract_items, items, "id=7", "does not convert")
    items.execute("UPDATE items SET price = '8' WHERE id = 7")
    contract_items(items)


def test_a_value_that_does_not_convert_and_comes_while_the_rows_are_filled_ends_nothing(items):
    """It comes after the look and is there when the backfill comes to its row, and when it looks what is left."""
    told = Told()

    def on_report(kind, facts):
        if kind == "BackfillStarted":
            items.execute("UPDATE items SET price = 'many' WHERE id = 7")

    told.on_report = on_report
    run(items.url(), lambda: change_type_expand("items", "price", sa.Integer, **TEXT_TO_NUMBER), told)
    assert items.rows("SELECT price, price__new FROM items WHERE id IN (7, 8) ORDER BY id") == [
        ("many", None),
        ("8", 8),
    ]
    refused(contract_items, items, "id=7")
    assert items.scalar("SELECT count(*) FROM pg_proc WHERE proname LIKE 'headway_convert%'") == 0


def stopped_while_rows_are_filled(database):
    told = Told()

    def on_report(kind, facts):
        told.wished = {"stop": kind == "BackfillStarted"}

    told.on_report = on_report
    with pytest.raises(StoppedByTest):
        run(database.url(), lambda: change_type_expand("items", "price", sa.Integer, **TEXT_TO_NUMBER), told)


@pytest.mark.parametrize("rename", ["RENAME TO goods", "SET SCHEMA archive"])
@pytest.mark.parametrize("end", ["undone", "run again"])
def test_a_change_that_was_interrupted_leaves_nothing_when_its_table_has_another_name(items, rename, end):
    stopped_while_rows_are_filled(items)
    items.execute(f"CREATE SCHEMA archive; ALTER TABLE items {rename}")
    table, schema = ("goods", None) if "goods" in rename else ("items", "archive")
    if end == "undone":
        run(items.url(), lambda: change_type_undo(table, "price", schema=schema))
    else:
        run(items.url(), lambda: change_type_expand(table, "price", sa.Integer, schema, **TEXT_TO_NUMBER))
        run(items.url(), lambda: change_type_contract(table, "price", sa.Integer, schema))
    assert catalog(items)["functions"] == []
    # Another table of the old name, and another type.
    items.execute(
        "CREATE TABLE public.items (id int PRIMARY KEY, price text); INSERT INTO items VALUES (1, '1')"
    )
    run(
        items.url(),
        lambda: change_type_expand(
            "items", "price", sa.BigInteger, using="price::bigint", back="price::text"
        ),
    )
    assert items.scalar("SELECT price__new FROM public.items") == 1


def test_values_that_could_not_be_had_back_are_refused_unless_that_may_be(items):
    items.execute("UPDATE items SET price = '007' WHERE id = 7")
    refused(expand_items, items, "id=7", "lossy=True")
    expand_items(items, lossy=True)
    contract_items(items)
    assert items.scalar("SELECT price FROM items WHERE id = 7") == 7


def test_a_lossy_value_that_comes_later_is_refused_by_the_contract_step(items):
    expand_items(items)
    items.execute("UPDATE items SET price = '007' WHERE id = 7")
    refused(contract_items, items, "id=7", "lossy=True")


def test_rounding_is_a_loss(database):
    database.execute(
        "CREATE TABLE items (id int PRIMARY KEY, price numeric); INSERT INTO items VALUES (1, 1), (2, 1.5)"
    )
    refused(expand, database, "id=2", table="items", column="price", type_=sa.Integer)


def test_a_conversion_that_postgresql_does_not_have_is_asked_for(items):
    refused(expand, items, "Give using=", table="items", column="price", type_=sa.Integer)
    refused(expand, items, "Give using=", table="items", column="price", type_=sa.Integer, using="prize::int")
    refused(
        expand, items, "Give using=", table="items", column="price", type_=sa.Integer, using="price::int + id"
    )
    refused(
        expand,
        items,
        "Give back=",
        "back=False",
        table="items",
        column="id",
        type_=sa.Boolean,
        using="id > 0",
    )


def test_one_way_the_new_column_follows_and_its_own_writes_stay(items):
    expand_items(items, back=False)
    items.execute("UPDATE items SET price = '21' WHERE id = 1; UPDATE items SET price__new = 22 WHERE id = 2")
    contract_items(items)
    assert items.rows("SELECT id, price FROM items WHERE id < 4 ORDER BY id") == [(1, 21), (2, 22), (3, 3)]


def test_a_conversion_may_be_an_element_of_sqlalchemy_s(items):
    column = sa.column("price")
    expand_items(items, using=sa.cast(column, sa.Integer), back=sa.cast(column, sa.Text))
    contract_items(items)
    assert items.scalar("SELECT sum(price) FROM items") == 210


def test_a_conversion_finds_functions_on_the_search_path_of_the_migration(items):
    items.execute(
        "CREATE SCHEMA tools; CREATE FUNCTION tools.cents(text) RETURNS int LANGUAGE sql IMMUTABLE AS "
        "'SELECT ($1::numeric * 100)::int'; ALTER ROLE CURRENT_USER RESET ALL"
    )
    items.execute(f"ALTER DATABASE {items.name} SET search_path = public, tools")
    expand_items(items, using="cents(price)", back="(price / 100)::text")
    items.execute("SET search_path = public; UPDATE items SET price = '21' WHERE id = 1")
    contract_items(items)
    assert items.scalar("SELECT price FROM items WHERE id = 1") == 2100


def test_a_default_that_cannot_be_converted_is_asked_for(database):
    database.execute(
        "CREATE TABLE items (id int PRIMARY KEY, at timestamp DEFAULT now()); INSERT INTO items VALUES (1)"
    )
    how = {
        "table": "items", "column": "at", "type_": sa.DateTime(timezone=True),
        "using": "at AT TIME ZONE 'UTC'", "back": "at AT TIME ZONE 'UTC'",
    }  # fmt: skip
    refused(expand, database, "server_default", **how)
    expand(database, **how, server_default=sa.func.now())
    database.execute("INSERT INTO items VALUES (2)")
    assert (
        database.scalar("SELECT count(*) FROM items WHERE at AT TIME ZONE 'UTC' IS DISTINCT FROM at__new")
        == 0
    )
    contract(database, "items", "at", sa.DateTime(timezone=True))
    assert database.scalar("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef") == "now()"


def test_a_type_that_a_foreign_key_could_not_compare_is_refused(shop):
    refused(
        expand, shop, "do not compare with each other", "foreign key",
        type_=sa.Text, using="id::text", back="id::int", lossy=True,
    )  # fmt: skip


def test_contract_knows_by_the_type_whether_it_is_done(shop):
    refused(contract, shop, "Run the expand step")
    expand(shop)
    contract(shop)
    before = catalog(shop)
    assert "nothing to do" in contract(shop).notices()[0]
    assert catalog(shop) == before


def test_undo_leaves_nothing_and_refuses_what_would_be_lost(shop):
    before = catalog(shop)
    expand(shop)
    undo(shop)
    assert without_checkpoints(shop) == before
    assert "nothing to undo" in undo(shop).notices()[0]
    shop.execute("CREATE TABLE counts (id int PRIMARY KEY, n int); INSERT INTO counts VALUES (1, 1)")
    expand(shop, "counts", "n")
    shop.execute("UPDATE counts SET n__new = 3000000000")
    refused(undo, shop, "id=1", table="counts", column="n")
    shop.execute("UPDATE counts SET n__new = 5")
    undo(shop, "counts", "n")
    assert shop.rows("SELECT * FROM counts") == [(1, 5)]


def test_a_domain_is_changed_to_its_base_type(database):
    database.execute(
        "CREATE DOMAIN amount AS int NOT NULL CHECK (VALUE >= 0);"
        "CREATE TABLE items (id int PRIMARY KEY, price amount DEFAULT 1); INSERT INTO items VALUES (1, 7)"
    )
    expand(database, "items", "price", sa.Numeric)
    database.execute("INSERT INTO items (id) VALUES (2); INSERT INTO items (id, price__new) VALUES (3, 5)")
    assert database.rows("SELECT price::int, price__new::int FROM items ORDER BY id") == [
        (7, 7),
        (1, 1),
        (5, 5),
    ]
    contract(database, "items", "price", sa.Numeric)
    assert database.scalar("SELECT sum(price) FROM items") == 13


def test_a_change_that_needs_no_rewrite_is_told(shop):
    told = expand(shop, column="name", type_=sa.Text)
    assert any("op.alter_column() would" in one for one in told.notices())


@pytest.mark.timeout(900)
def test_after_a_cut_at_any_statement_of_both_steps_a_rerun_ends_as_if_there_had_been_none(
    database, make_database
):
    def work(one):
        # A rerun of the whole, as after a downgrade of nothing: the first step is done again beside the second.
        if not is_done(one):
            expand(one)
        contract(one)

    def is_done(one):
        return one.scalar("SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'id' "
                          "AND atttypid = 'bigint'::regtype")  # fmt: skip

    def check(one):
        assert without_checkpoints(one) == expected

    whole = make_database()
    whole.execute(SMALL)
    work(whole)
    expected = without_checkpoints(whole)
    statements = cut_everywhere(database, lambda one: one.execute(SMALL), work, check)
    for words in ("NOT VALID", "PRIMARY KEY USING INDEX", "SET NOT NULL", "RENAME COLUMN", "DROP FUNCTION"):
        assert any(words in one for one in statements), words


def test_what_a_single_partition_has_is_made_for_the_new_type_first(database):
    database.execute(
        "CREATE TABLE events (day int, kind varchar(9)) PARTITION BY LIST (day);"
        "CREATE TABLE events_1 PARTITION OF events (CONSTRAINT given CHECK (kind <> '')) FOR VALUES IN (1);"
        "CREATE UNIQUE INDEX ux ON events_1 (kind) WHERE kind <> 'x'; INSERT INTO events VALUES (1, 'a')"
    )
    told = expand(database, "events", "kind", sa.Text()).notices()
    assert any(
        "the constraint given of public.events_1, the index ux of public.events_1" in one for one in told
    )
    with pytest.raises(
        CannotChange, match=r"the constraint given of public\.events_1, the index ux of"
    ) as caught:
        contract(database, "events", "kind", sa.Text())
    assert "Make the same on kind__new of that partition" in str(caught.value)
    # What the server writes with a cast for the old type it writes without one for the new.
    database.execute(
        "ALTER TABLE events_1 ADD CONSTRAINT given_too CHECK (kind__new <> '');"
        "CREATE UNIQUE INDEX ux_too ON events_1 (kind__new) WHERE kind__new <> 'x'"
    )
    contract(database, "events", "kind", sa.Text())
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute("INSERT INTO events VALUES (1, 'a')")
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute("INSERT INTO events VALUES (1, '')")
