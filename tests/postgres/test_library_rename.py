"""A column gets a new name while code that knows the old one and code that knows the new one write at once."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa
from alembic import op

import headway
from headway.columns.wanted import CannotChange
from headway.operations.constraint_work import RowsInTheWay
from headway.operations.rename_column import (
    rename_column_contract,
    rename_column_expand,
    rename_column_undo,
)
from support.catalog import catalog
from support.columns import SHOP, SMALL, Application, cut_everywhere, running
from support.revisions import Told, run

DIFFERENT = "SELECT count(*) FROM users WHERE name IS DISTINCT FROM full_name"


@pytest.fixture
def shop(database):
    database.execute(SHOP.format(rows=100))
    return database


def expand(database, table="users", old="name", new="full_name", **more):
    told = Told()
    run(database.url(), lambda: rename_column_expand(table, old, new, **more), told)
    return told


def contract(database, table="users", old="name", new="full_name", **more):
    told = Told()
    run(database.url(), lambda: rename_column_contract(table, old, new, **more), told)
    return told


def undo(database, table="users", old="name", new="full_name", **more):
    told = Told()
    run(database.url(), lambda: rename_column_undo(table, old, new, **more), told)
    return told


def without_checkpoints(database):
    return catalog(database, "headway_backfill")


def test_both_columns_hold_the_same_with_all_that_hung_on_the_old_one(shop):
    expand(shop)
    assert shop.scalar(DIFFERENT) == 0
    found = without_checkpoints(shop)
    assert (
        "users", "full_name", "character varying(50)", True, "'nobody'::character varying", "what they are called",
    ) in found["columns"]  # fmt: skip
    assert ("users", "users_full_name_check", "CHECK (((full_name)::text <> ''::text))", True) in found[
        "constraints"
    ]
    (index,) = [row for row in found["indexes"] if row[1] == "ix_users_full_name"]
    assert (
        "lower((full_name)::text) text_pattern_ops, id DESC) INCLUDE (email) WHERE ((full_name)" in index[2]
    )


def test_after_the_contract_step_it_is_as_if_the_column_had_been_renamed(shop, make_database):
    expand(shop)
    contract(shop)
    plain = make_database()
    plain.execute(SHOP.format(rows=100))
    plain.execute("ALTER TABLE users RENAME name TO full_name")
    plain.execute("ALTER INDEX ix_users_name RENAME TO ix_users_full_name")
    plain.execute("ALTER TABLE users RENAME CONSTRAINT users_name_check TO users_full_name_check")
    assert without_checkpoints(shop) == without_checkpoints(plain)
    assert shop.rows("SELECT id, full_name FROM users ORDER BY id") == plain.rows(
        "SELECT id, full_name FROM users ORDER BY id"
    )


def test_a_primary_key_that_others_refer_to_gets_a_new_name(shop, make_database):
    expand(shop, old="id", new="number")
    shop.execute("INSERT INTO users (email) VALUES ('by the old default')")
    shop.execute("INSERT INTO orders (user_id) SELECT max(number) FROM users")
    # What old code gives itself is no default, though the default is another number each time.
    shop.execute("INSERT INTO users (id) VALUES (5000)")
    assert shop.scalar("SELECT number FROM users WHERE id = 5000") == 5000
    contract(shop, old="id", new="number")
    plain = make_database()
    plain.execute(SHOP.format(rows=100))
    plain.execute("ALTER TABLE users RENAME id TO number")
    assert without_checkpoints(shop) == without_checkpoints(plain)
    shop.execute("INSERT INTO users (email) VALUES ('by the new default')")
    assert shop.scalar("SELECT pg_get_serial_sequence('users', 'number')") == "public.users_id_seq"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        shop.execute("INSERT INTO orders (user_id) VALUES (4711)")


def through(column):
    """An application that inserts and updates through one of the names, and looks that its own writes are there."""

    def write(connection, number):
        name = f"{column} {number}"
        (key,) = connection.execute(
            f"INSERT INTO users ({column}) VALUES (%s) RETURNING id", (name,)
        ).fetchone()
        connection.execute(f"UPDATE users SET {column} = %s WHERE id = %s", (name + "!", key))
        connection.execute("UPDATE users SET other = 1 WHERE id = %s", (key % 100 + 1,))
        (kept,) = connection.execute(f"SELECT {column} FROM users WHERE id = %s", (key,)).fetchone()
        assert kept == name + "!"

    return write


def test_old_and_new_code_write_all_the_while_without_an_error_and_nothing_is_lost(shop):
    shop.execute("INSERT INTO users (name) SELECT 'more ' || i FROM generate_series(1, 20000) i")
    old = Application(shop, through("name"))
    with running(old):
        expand(shop)
        new = Application(shop, through("full_name"))
        with running(new):
            # A rerun beside both of them, as after an interruption.
            expand(shop)
            undo(shop, new="nothing of this name")
    assert shop.scalar(DIFFERENT) == 0
    with running(new):
        contract(shop)
    for application, prefix in ((old, "name"), (new, "full_name")):
        kept = shop.scalar("SELECT count(*) FROM users WHERE full_name LIKE %s", (f"{prefix} %!",))
        assert kept >= application.written


@pytest.mark.timeout(900)
def test_after_a_cut_at_any_statement_a_rerun_ends_as_if_there_had_been_none(database, make_database):
    whole = make_database()
    whole.execute(SMALL)
    expand(whole)
    expected = without_checkpoints(whole)

    def check(one):
        assert without_checkpoints(one) == expected
        assert one.scalar(DIFFERENT) == 0

    statements = cut_everywhere(database, lambda one: one.execute(SMALL), expand, check)
    for words in (
        "CREATE INDEX CONCURRENTLY",
        "CREATE TRIGGER",
        "VALIDATE",
        "UNIQUE USING INDEX",
        "SET NOT NULL",
    ):
        assert any(words in one for one in statements), words


@pytest.mark.timeout(900)
def test_after_a_cut_at_any_statement_of_the_contract_step_too(database, make_database):
    def prepare(one):
        one.execute(SMALL)
        expand(one, old="id", new="number")

    def work(one):
        contract(one, old="id", new="number")

    def check(one):
        assert without_checkpoints(one) == expected

    whole = make_database()
    prepare(whole)
    work(whole)
    expected = without_checkpoints(whole)
    statements = cut_everywhere(database, prepare, work, check)
    assert any("DROP COLUMN" in one for one in statements)


def test_done_already_is_noticed_and_no_failure(shop):
    expand(shop)
    contract(shop)
    before = catalog(shop)
    assert "nothing to do" in contract(shop).notices()[0]
    assert catalog(shop) == before


def refused(work, database, *words, **more):
    before = without_checkpoints(database)
    with pytest.raises(CannotChange) as caught:
        work(database, **more)
    assert without_checkpoints(database) == before
    for word in words:
        assert word in str(caught.value)


def test_contract_refuses_while_another_column_is_filled_from_the_old_one(shop):
    new = sa.Column("shouted", sa.Text)
    run(shop.url(), lambda: headway.add_column_with_backfill("users", new, "upper(name)"))
    expand(shop)
    refused(contract, shop, "zz_headway_fill_shouted_insert", "stop_filling_column()")
    run(shop.url(), lambda: headway.stop_filling_column("users", "shouted"))
    run(shop.url(), lambda: headway.add_column_with_backfill("users", new, "upper(full_name)"))
    contract(shop)
    shop.execute("INSERT INTO users (id, full_name) VALUES (77777, 'eve')")
    assert shop.scalar("SELECT shouted FROM users WHERE id = 77777") == "EVE"


def test_contract_refuses_while_no_backfill_is_written_down_as_complete(shop):
    expand(shop)
    shop.execute("UPDATE headway_backfill SET is_complete = false")
    refused(contract, shop, "is not complete", "Run the expand step again")
    shop.execute("DROP TABLE headway_backfill")
    refused(contract, shop, "was not begun")
    expand(shop)
    contract(shop)


def test_contract_refuses_while_rows_differ_and_names_them(shop):
    expand(shop)
    shop.execute("SET session_replication_role = replica; UPDATE users SET name = 'x' WHERE id IN (7, 8)")
    refused(contract, shop, "id=7", "id=8", "UPDATE … SET full_name")
    shop.execute("UPDATE users SET full_name = 'x' WHERE id IN (7, 8)")
    contract(shop)


def test_contract_refuses_while_a_trigger_is_disabled(shop):
    expand(shop)
    named = "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'zz_headway_sync_update_name_full_name_%'"
    shop.execute(f"ALTER TABLE users DISABLE TRIGGER {shop.scalar(named)}")
    refused(contract, shop, "disabled", "ENABLE TRIGGER")


def test_contract_refuses_over_a_view_and_tells_of_it_in_the_expand_step(shop):
    shop.execute("CREATE VIEW names AS SELECT name FROM users")
    assert any("view public.names" in one for one in expand(shop).notices())
    refused(contract, shop, "view public.names", "Drop each")
    shop.execute("DROP VIEW names")
    contract(shop)


def test_contract_refuses_over_an_index_that_came_later_until_it_has_a_copy(shop):
    expand(shop)
    shop.execute("CREATE INDEX ix_name_again ON users (name)")
    refused(contract, shop, "ix_name_again", "expand step again")
    expand(shop)
    contract(shop)
    assert shop.scalar("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_full_name_again'") == 1


def test_contract_refuses_what_was_never_expanded(shop):
    refused(contract, shop, "no triggers keep it and full_name equal")


def test_a_column_takes_part_in_one_change_at_a_time(shop):
    expand(shop)
    for old, new in (("name", "last_name"), ("full_name", "last_name"), ("email", "full_name")):
        refused(expand, shop, "rename public.users.name to full_name", "contract step", old=old, new=new)
    # Others of the table may change meanwhile.
    expand(shop, old="email", new="mail")
    contract(shop)
    contract(shop, old="email", new="mail")
    assert shop.scalar("SELECT count(mail) FROM users WHERE full_name IS NOT NULL") == 100


def test_tables_and_columns_whose_names_run_together_have_triggers_of_their_own(database):
    database.execute(
        'CREATE TABLE "order" (id int PRIMARY KEY, item_name text, a text, a_b text);'
        "CREATE TABLE order_item (id int PRIMARY KEY, name text);"
        "INSERT INTO \"order\" VALUES (1, 'x', 'x', 'x'); INSERT INTO order_item VALUES (1, 'x')"
    )
    pairs = (
        ("order", "item_name", "full_name"), ("order_item", "name", "full_name"),
        ("order", "a", "b_c"), ("order", "a_b", "c"),
    )  # fmt: skip
    for pair in pairs:
        expand(database, *pair)
    database.execute(
        "UPDATE \"order\" SET item_name = 'd', a = 'e', c = 'f'; UPDATE order_item SET name = 'g'"
    )
    assert database.rows('SELECT full_name, b_c, a_b FROM "order"') == [("d", "e", "f")]
    assert database.rows("SELECT full_name FROM order_item") == [("g",)]
    undo(database, *pairs[2])
    for pair in (*pairs[:2], pairs[3]):
        contract(database, *pair)
    assert catalog(database)["triggers"] == catalog(database)["functions"] == []


RENAMED = (
    "ALTER TABLE users RENAME TO people; CREATE TABLE users (id int PRIMARY KEY, name text);"
    "INSERT INTO users VALUES (1, 'ada')"
)


@pytest.mark.parametrize("end", [contract, undo])
def test_a_change_goes_on_under_another_name_of_the_table_and_leaves_a_new_one_of_the_old_name_alone(
    shop, end
):
    expand(shop)
    shop.execute(RENAMED)
    refused(expand, shop, "triggers of public.people call it", "contract step")
    shop.execute("INSERT INTO people (id, name) VALUES (1000, 'eve')")
    assert shop.scalar("SELECT full_name FROM people WHERE id = 1000") == "eve"
    end(shop, "people")
    assert shop.rows("SELECT id, name FROM users") == [(1, "ada")]
    assert catalog(shop)["triggers"] == catalog(shop)["functions"] == []


def test_an_expand_step_that_is_run_again_under_another_name_of_the_table_leaves_nothing_of_the_first(shop):
    expand(shop)
    shop.execute("ALTER TABLE users RENAME TO people")
    expand(shop, "people")
    assert len(catalog(shop)["functions"]) == 1
    contract(shop, "people")
    assert catalog(shop)["triggers"] == catalog(shop)["functions"] == []


def test_a_column_of_somebody_elses_is_not_taken_over(shop):
    shop.execute("ALTER TABLE users ADD full_name text")
    refused(expand, shop, "has a column full_name already")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("CREATE TABLE t (b int, a int GENERATED ALWAYS AS (b) STORED)", "generated column"),
        ("CREATE TABLE t (a int) PARTITION BY LIST (a)", "in which partition"),
        ("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p DEFAULT", "Name the parent"),
        ("CREATE TABLE p (a int); CREATE TABLE t () INHERITS (p)", "Name the parent"),
        ("CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t)", "Other tables inherit"),
        ("CREATE DOMAIN d AS int NOT NULL; CREATE TABLE t (a d)", "domain with rules"),
        ("CREATE DOMAIN d AS int CHECK (VALUE > 0); CREATE DOMAIN e AS d; CREATE TABLE t (a e)", "domain with rules"),
        ("CREATE TABLE t (a int4range, EXCLUDE USING gist (a WITH &&))", "exclusion constraint"),
        ("CREATE VIEW t AS SELECT 1 AS a", "is no table"),
        ("CREATE TABLE t (b int)", "has no column a"),
        ("CREATE TABLE t (a int, b int, UNIQUE (a, b)) PARTITION BY LIST (b)", "of a partitioned table"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_equal_is_refused_with_advice(database, table, words):
    database.execute(table)
    refused(expand, database, words, "Nothing was changed", table="t", old="a", new="c")


def test_rows_that_a_policy_hides_from_the_owner_are_not_overlooked(shop):
    shop.execute("DROP ROLE IF EXISTS hw_hidden; CREATE ROLE hw_hidden LOGIN PASSWORD 'hw'")
    shop.execute("GRANT ALL ON SCHEMA public TO hw_hidden; ALTER TABLE users OWNER TO hw_hidden")
    url = sa.engine.make_url(shop.url()).set(username="hw_hidden", password="hw")
    address = url.render_as_string(hide_password=False)
    run(address, lambda: rename_column_expand("users", "name", "full_name"))
    shop.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY")
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        run(address, lambda: rename_column_contract("users", "name", "full_name"))
    shop.execute("REASSIGN OWNED BY hw_hidden TO CURRENT_USER; DROP OWNED BY hw_hidden; DROP ROLE hw_hidden")


def test_undo_leaves_nothing_and_may_be_repeated(shop):
    before = catalog(shop)
    expand(shop)
    shop.execute("UPDATE users SET full_name = 'by new code' WHERE id = 1")
    undo(shop)
    assert without_checkpoints(shop) == before
    assert shop.scalar("SELECT name FROM users WHERE id = 1") == "by new code"
    assert "nothing to undo" in undo(shop).notices()[0]


def test_undo_refuses_what_would_be_lost(shop):
    expand(shop)
    shop.execute("SET session_replication_role = replica; UPDATE users SET full_name = 'x' WHERE id = 7")
    refused(undo, shop, "id=7")


def test_a_downgrade_of_both_steps_brings_back_what_was(shop):
    before = catalog(shop)
    expand(shop)
    contract(shop)
    expand(shop, old="full_name", new="name")
    shop.execute(
        "UPDATE users SET full_name = 'new' WHERE id = 1; UPDATE users SET name = 'old' WHERE id = 2"
    )
    assert shop.scalar(DIFFERENT) == 0
    undo(shop)
    assert {kind: set(rows) for kind, rows in without_checkpoints(shop).items()} == {
        kind: set(rows) for kind, rows in before.items()
    }
    # And up again.
    expand(shop)
    contract(shop)
    assert shop.scalar("SELECT full_name FROM users WHERE id = 1") == "new"


def test_in_a_schema_and_with_names_of_any_kind(database):
    table, old, new = 'Users "x" %s', "Name:a%s", "n" * 63
    database.execute(
        'CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."Users ""x"" %s" (id int PRIMARY KEY, "Name:a%s" text);'
        'CREATE INDEX "ix: %s" ON "My Schema"."Users ""x"" %s" ("Name:a%s");'
        'INSERT INTO "My Schema"."Users ""x"" %s" VALUES (1, \'a\')'
    )
    for step in (expand, expand, contract):
        step(database, table, old, new, schema="My Schema")
    assert database.rows(f'SELECT {new} FROM "My Schema"."Users ""x"" %s"') == [("a",)]
    assert database.scalar("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%(nnn%'") == 1


def test_a_partitioned_table_is_kept_equal_in_each_partition(database):
    database.execute(
        "CREATE TABLE events (day int, name text NOT NULL) PARTITION BY RANGE (day);"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);"
        "CREATE INDEX ix_events_name ON events (name);"
        "INSERT INTO events SELECT i, 'n' || i FROM generate_series(0, 19) i"
    )
    expand(database, table="events")
    database.execute("INSERT INTO events (day, name) VALUES (1, 'old')")
    database.execute("INSERT INTO events (day, full_name) VALUES (11, 'new')")
    database.execute("UPDATE events SET day = 12, full_name = 'moved' WHERE day = 2")
    assert database.scalar("SELECT count(*) FROM events WHERE name IS DISTINCT FROM full_name") == 0
    contract(database, table="events")
    assert database.scalar("SELECT count(full_name) FROM events") == 22
    assert database.scalar("SELECT count(*) FROM pg_index WHERE indisvalid AND NOT indisready") == 0


@pytest.mark.parametrize("operation", ["rename", "type"])
def test_a_not_null_that_is_not_valid_is_refused_before_anything_is_changed(shop, operation):
    """PostgreSQL 18 and newer have such."""
    shop.execute("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, NULL)")
    shop.execute("ALTER TABLE people ADD CONSTRAINT given NOT NULL name NOT VALID")
    before = catalog(shop)

    def step():
        if operation == "rename":
            return rename_column_expand("people", "name", "full_name")
        return headway.change_type_expand("people", "name", sa.String(80))

    with pytest.raises(
        CannotChange, match=r"constraint given\) is NOT VALID.*set_not_null_online\(\).*Nothing was"
    ):
        run(shop.url(), step)
    assert catalog(shop) == before
    shop.execute("UPDATE people SET name = 'somebody'")
    run(shop.url(), lambda: headway.set_not_null_online("people", "name"))
    run(shop.url(), step)


def test_rows_in_the_way_of_not_null_are_told_with_what_stays(shop):
    told = Told()

    def write_without_triggers(kind, facts):
        if kind == "BackfillFinished":
            shop.execute(
                "SET session_replication_role = replica; INSERT INTO users (name, full_name) VALUES ('n', NULL)"
            )

    told.on_report = write_without_triggers
    shop.execute("ALTER TABLE users ALTER name SET NOT NULL")
    with pytest.raises(RowsInTheWay) as caught:
        run(shop.url(), lambda: rename_column_expand("users", "name", "full_name"), told)
    assert "The column full_name stays, and triggers keep it and name equal." in str(caught.value)
    assert "nothing was changed" not in str(caught.value)
    expand(shop)
    assert shop.scalar(DIFFERENT) == 0


EVENTS = """
    CREATE TABLE kinds (name text PRIMARY KEY); INSERT INTO kinds SELECT 'n' || i FROM generate_series(0, 19) i;
    CREATE TABLE events (day int, name text) PARTITION BY RANGE (day);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM (0) TO (10);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (day);
    CREATE TABLE events_2026_1 PARTITION OF events_2026 FOR VALUES FROM (10) TO (15);
    CREATE TABLE events_2026_2 PARTITION OF events_2026 DEFAULT;
    CREATE INDEX ix_of_all ON events (name);
    INSERT INTO events SELECT i, 'n' || i FROM generate_series(0, 19) i
"""
"""Partitions with nothing of their own."""


@pytest.mark.parametrize(
    ("own", "words", "same"),
    [
        (
            "CREATE UNIQUE INDEX ux_name ON events_2025 (name)",
            "the index ux_name of public.events_2025",
            lambda: headway.create_index_concurrently("ux", "events_2025", ["full_name"], unique=True),
        ),
        (
            "CREATE INDEX ix_long ON events_2026_1 (day) WHERE length(name) > 2",
            "the index ix_long of public.events_2026_1",
            lambda: headway.create_index_concurrently(
                "ix", "events_2026_1", ["day"], where="length(full_name) > 2"
            ),
        ),
        (
            "CREATE INDEX ix_year ON events_2026 (lower(name))",
            "the index ix_year of public.events_2026",
            lambda: headway.create_index_concurrently("ix", "events_2026", [sa.text("lower(full_name)")]),
        ),
        (
            "ALTER TABLE events_2025 ADD CONSTRAINT given CHECK (name <> '') NOT VALID",
            "the constraint given of public.events_2025",
            lambda: headway.add_check_online("given_too", "events_2025", "full_name <> ''"),
        ),
        (
            "ALTER TABLE events_2025 ADD CONSTRAINT once UNIQUE (name)",
            "the constraint once of public.events_2025",
            lambda: op.create_unique_constraint("o", "events_2025", ["full_name"]),
        ),
        (
            "ALTER TABLE events_2026_2 ADD CONSTRAINT known FOREIGN KEY (name) REFERENCES kinds",
            "the constraint known of public.events_2026_2",
            lambda: headway.add_foreign_key_online(
                "known_too", "events_2026_2", "kinds", ["full_name"], ["name"]
            ),
        ),
        (
            "ALTER TABLE events_2025 ALTER name SET NOT NULL",
            "NOT NULL of public.events_2025",
            lambda: headway.set_not_null_online("events_2025", "full_name"),
        ),
        (
            "GRANT SELECT (name) ON events_2025 TO PUBLIC",
            "the grants of public.events_2025",
            lambda: op.execute("GRANT SELECT (full_name) ON events_2025 TO PUBLIC"),
        ),
        (
            "COMMENT ON COLUMN events_2026_1.name IS 'of the year'",
            "the comment of public.events_2026_1",
            lambda: op.execute("COMMENT ON COLUMN events_2026_1.full_name IS 'of the year'"),
        ),
        (
            "ALTER TABLE events ALTER name SET DEFAULT 'any'; ALTER TABLE events_2025 ALTER name SET DEFAULT 'old'",
            "the default of public.events_2025",
            lambda: op.execute("ALTER TABLE events_2025 ALTER full_name SET DEFAULT 'old'"),
        ),
        (
            "ALTER TABLE events_2025 ALTER name SET STATISTICS 500",
            "the statistics target of public.events_2025",
            lambda: op.execute("ALTER TABLE events_2025 ALTER full_name SET STATISTICS 500"),
        ),
        (
            "CREATE STATISTICS st_both (ndistinct) ON day, name FROM events_2025",
            "the statistics object st_both of public.events_2025",
            lambda: op.execute(
                "CREATE STATISTICS st_both_too (ndistinct) ON day, full_name FROM events_2025"
            ),
        ),
        (
            "CREATE STATISTICS low ON lower(name) FROM events_2025",
            "the statistics object low of public.events_2025",
            lambda: op.execute("CREATE STATISTICS low_too ON lower(full_name) FROM events_2025"),
        ),
    ],
)
def test_what_a_single_partition_has_is_not_lost_without_a_word(database, own, words, same):
    database.execute(EVENTS + ";" + own)
    assert any(
        "Not copied, because single partitions" in one and words in one
        for one in expand(database, "events").notices()
    )
    refused(
        contract,
        database,
        words,
        "full_name of that partition",
        "create_index_concurrently()",
        table="events",
    )
    run(database.url(), same)
    assert not any("single partitions" in one for one in expand(database, "events").notices())
    contract(database, "events")
    assert database.scalar("SELECT count(full_name) FROM events") == 20


OF_ALL = """
    ALTER TABLE events ALTER name SET DEFAULT 'any', ALTER name SET STATISTICS 500;
    COMMENT ON COLUMN events.name IS 'who'; GRANT SELECT (name) ON events TO PUBLIC;
    CREATE TABLE events_2027 (LIKE events);
    ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM (20) TO (30)
"""


def test_what_partitions_have_from_their_parent_is_not_their_own(database):
    database.execute(f"{EVENTS}; {OF_ALL}")
    assert not any("single partitions" in one for one in expand(database, "events").notices())
    contract(database, "events")


def test_a_default_of_a_partition_that_the_contract_step_would_write_over_is_refused_until_it_is_dropped(
    database,
):
    database.execute(
        f"{EVENTS}; ALTER TABLE events ALTER name SET DEFAULT gen_random_uuid()::text;"
        "ALTER TABLE events_2025 ALTER name SET DEFAULT 'old'"
    )
    expand(database, "events")
    database.execute("ALTER TABLE events_2025 ALTER full_name SET DEFAULT 'old'")
    refused(contract, database, "the default of public.events_2025", table="events")
    database.execute("ALTER TABLE events_2025 ALTER name DROP DEFAULT")
    contract(database, "events")


def test_an_index_on_a_partition_that_is_not_the_same_is_no_copy(database):
    database.execute(EVENTS + "; CREATE UNIQUE INDEX ux_name ON events_2025 (name)")
    expand(database, "events")
    database.execute(
        "CREATE INDEX ix ON events_2025 (full_name); CREATE UNIQUE INDEX ux ON events_2026_1 (full_name)"
    )
    refused(contract, database, "ux_name of public.events_2025", table="events")
    database.execute("DROP INDEX ux_name")
    contract(database, "events")


def test_of_what_many_partitions_have_ten_are_named(database):
    database.execute("CREATE TABLE events (day int, name text) PARTITION BY LIST (day)")
    for day in range(10, 23):
        database.execute(
            f"CREATE TABLE day_{day} PARTITION OF events FOR VALUES IN ({day});"
            f"CREATE INDEX ix_{day} ON day_{day} (name)"
        )
    expand(database, "events")
    refused(contract, database, "ix_10 of", "ix_19 of public.day_19 and 3 more", table="events")


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg", "pg8000"])
def test_with_other_drivers_too(shop, driver):
    def step(work):
        run(shop.url(driver), lambda: work("users", "id", "Number %s"))

    shop.execute("COMMENT ON COLUMN users.id IS 'a %s: b:c'")
    step(rename_column_expand)
    step(rename_column_contract)
    assert shop.scalar('SELECT count("Number %s") FROM users') == 100


def test_grants_on_the_column_alone_are_copied(shop):
    shop.execute("DROP ROLE IF EXISTS hw_reader; CREATE ROLE hw_reader")
    shop.execute("GRANT SELECT (name), UPDATE (name) ON users TO hw_reader WITH GRANT OPTION")
    expand(shop)
    privileges = "SELECT attacl::text FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = %s"
    assert shop.scalar(privileges, ("full_name",)) == shop.scalar(privileges, ("name",))
    shop.execute("DROP OWNED BY hw_reader; DROP ROLE hw_reader")


def test_a_table_owner_who_is_no_superuser_can_do_it(shop):
    shop.execute("DROP ROLE IF EXISTS hw_owner; CREATE ROLE hw_owner LOGIN PASSWORD 'hw'")
    shop.execute("GRANT ALL ON SCHEMA public TO hw_owner; ALTER TABLE users OWNER TO hw_owner")
    url = sa.engine.make_url(shop.url()).set(username="hw_owner", password="hw")
    address = url.render_as_string(hide_password=False)
    for step in (rename_column_expand, rename_column_contract):
        run(address, lambda: step("users", "name", "full_name"))  # noqa: B023
    assert shop.scalar("SELECT count(full_name) FROM users") == 100
    shop.execute("REASSIGN OWNED BY hw_owner TO CURRENT_USER; DROP OWNED BY hw_owner; DROP ROLE hw_owner")
