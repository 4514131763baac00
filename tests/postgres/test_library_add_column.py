"""Columns added, filled and made NOT NULL in a table that is in use, and followed by a trigger meanwhile."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from headway import (
    add_column_with_backfill,
    backfill,
    drop_column_with_backfill,
    set_not_null_online,
    stop_filling_column,
)
from headway.operations.constraint_work import ConstraintRefused, RowsInTheWay
from headway.short_locks import LockUnavailable, Patience
from support.catalog import catalog
from support.cuts import statements_cut
from support.revisions import Told, run
from support.scripts import apply, script_of

DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
QUICK = Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)
CHECKPOINT = "headway_backfill"
BACKFILL = "headway_backfill|^UPDATE|^ANALYZE|TEMP|pg_temp"
"""Its statements are cut by tests of its own."""
TABLE = 'CREATE TABLE users (id int PRIMARY KEY, email text, "Sco%re: x" int)'
ROWS = "INSERT INTO users SELECT i, 'U' || i, i % 7 FROM generate_series(1, 300) i"


def column(**options):
    return sa.Column("email_lc", sa.Text, **options)


def add(database, driver="psycopg", link=None, new=None, value="lower(email)", **named):
    run(
        database.url(driver),
        lambda: add_column_with_backfill(
            "users", column(nullable=False) if new is None else new, value, **named
        ),
        link,
    )


@pytest.fixture
def users(database):
    database.execute(f"{TABLE}; {ROWS}")
    return database


def wrong(database):
    return database.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)")


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_column_is_filled_and_not_null_and_a_rerun_and_the_inverse_leave_nothing_more(users, driver):
    before = catalog(users)
    add(users, driver)
    assert wrong(users) == 0
    first = catalog(users)
    assert ("users", "email_lc", "text", True, None, None) in first["columns"]
    assert first["constraints"] == catalog(users)["constraints"]
    add(users, driver)
    assert catalog(users) == first
    for _ in range(2):
        run(users.url(driver), lambda: drop_column_with_backfill("users", "email_lc"))
        assert catalog(users, CHECKPOINT, "headway_backfill_pkey") == before
        assert users.scalar(f"SELECT count(*) FROM {CHECKPOINT}") == 0
    add(users, driver)
    assert wrong(users) == 0


def test_an_empty_table_is_as_good(database):
    database.execute(TABLE)
    add(database)
    assert ("users", "email_lc", "text", True, None, None) in catalog(database)["columns"]


def test_the_check_that_proves_not_null_is_gone_and_autogenerate_sees_no_drift(users):
    new = column(nullable=False, comment="it's lower")
    add(users, new=new)
    metadata = sa.MetaData()
    sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Text),
        sa.Column("Sco%re: x", sa.Integer),
        column(nullable=False, comment="it's lower"),
    )
    engine = sa.create_engine(users.url())
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert [row for row in catalog(users, CHECKPOINT)["constraints"] if "CHECK" in row[2]] == []


def test_a_session_cut_at_any_statement_leaves_a_rerun_the_same_end(users):
    add(users)
    end = catalog(users, CHECKPOINT)

    def check(database):
        assert catalog(database, CHECKPOINT) == end
        assert wrong(database) == 0

    cuts = statements_cut(users, lambda database: database.execute(f"{TABLE}; {ROWS}"), add, check, BACKFILL)
    assert sum("ADD COLUMN" in one for one in cuts) == 2
    assert sum("SET NOT NULL" in one for one in cuts) == 2
    assert sum(one.startswith("CREATE TRIGGER") for one in cuts) == 4


def test_a_reader_that_stays_is_named_and_nothing_is_changed(users):
    before = catalog(users)
    reader = psycopg.connect(users.address, application_name="report")
    reader.execute("SELECT * FROM users")
    with pytest.raises(LockUnavailable, match="application report"):
        add(users, patience=QUICK)
    assert catalog(users) == before
    reader.close()


def test_a_new_row_of_code_that_does_not_know_the_column_is_filled(users):
    link = Told()
    add(users, link=link)
    users.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") == "eve"
    assert any("drop it by stop_filling_column()" in one for one in link.notices())


@pytest.mark.parametrize(
    ("update", "value"),
    [
        ("email = 'ADA'", "ada"),
        ("email = 'ADA', email_lc = 'own'", "own"),
        ("id = id", "u7"),
        ("email = NULL, email_lc = 'none'", "none"),
    ],
)
def test_the_column_follows_the_expression_unless_the_statement_writes_it(users, update, value):
    add(users)
    users.execute(f"UPDATE users SET {update} WHERE id = 7")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 7") == value


def test_a_value_that_the_application_wrote_otherwise_is_left_alone(users):
    add(users)
    users.execute("UPDATE users SET email_lc = 'own' WHERE id = 7")
    users.execute("UPDATE users SET email = 'ADA' WHERE id = 7")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 7") == "own"
    users.execute("INSERT INTO users (id, email, email_lc) VALUES (1000, 'EVE', 'own')")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") == "own"


def test_an_expression_that_differs_each_time_is_evaluated_once(users):
    add(
        users,
        new=sa.Column("email_lc", sa.dialects.postgresql.UUID, nullable=False),
        value="gen_random_uuid()",
    )
    before = users.scalar("SELECT email_lc FROM users WHERE id = 7")
    users.execute("UPDATE users SET email = 'ADA' WHERE id = 7")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 7") == before


def test_the_trigger_goes_on_when_the_table_changes_in_the_same_session(users):
    add(users)
    one = users.connect()
    one.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    one.execute('ALTER TABLE users ADD COLUMN more int DEFAULT 1, DROP COLUMN "Sco%re: x"')
    one.execute("INSERT INTO users (id, email) VALUES (1001, 'EVE')")
    one.execute("UPDATE users SET email = 'ADA' WHERE id = 1000")
    assert wrong(users) == 0


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ("ALTER TABLE users RENAME TO people", "people"),
        ("CREATE SCHEMA shop; ALTER TABLE users SET SCHEMA shop", "shop.users"),
    ],
)
def test_the_trigger_goes_on_when_the_table_gets_another_name_or_schema(users, change, now):
    add(users, value="lower(users.email)")
    users.execute(change)
    users.execute(f"INSERT INTO {now} (id, email) VALUES (1000, 'EVE'), (1001, 'EVE')")
    users.execute(f"UPDATE {now} SET email_lc = 'own' WHERE id = 1001")
    users.execute(f"UPDATE {now} SET email = 'ADA' WHERE id >= 1000")
    found = users.rows(f"SELECT email_lc FROM {now} WHERE id >= 1000 ORDER BY id")
    assert found == [("ada",), ("own",)]


def test_an_expression_may_name_the_table_other_tables_and_odd_columns(users):
    users.execute(
        "CREATE TABLE grades (score int, grade text); "
        "INSERT INTO grades SELECT i, 'g' || i FROM generate_series(0, 6) i"
    )
    value = "(SELECT grade || ':%' FROM grades WHERE score = users.\"Sco%re: x\")"
    for driver in ("psycopg2", "asyncpg"):
        add(users, driver, value=value)
        users.execute('INSERT INTO users (id, "Sco%re: x") VALUES (1000, 3) ON CONFLICT DO NOTHING')
        assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") == "g3:%"
        assert users.scalar("SELECT count(*) FROM users WHERE email_lc <> 'g' || \"Sco%re: x\" || ':%'") == 0


def test_the_trigger_finds_its_names_whatever_search_path_a_writer_has(users):
    users.execute("CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN upper($1)")
    add(users, value="shout(email)")
    one = users.connect()
    one.execute("SET search_path = pg_catalog")
    one.execute("INSERT INTO public.users (id, email) VALUES (1000, 'eve')")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") == "EVE"


def test_stop_filling_takes_the_trigger_away_and_leaves_the_column(users):
    add(users, new=column())
    for _ in range(2):
        run(users.url(), lambda: stop_filling_column("users", "email_lc"))
    users.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") is None
    assert catalog(users)["triggers"] == []
    assert catalog(users)["functions"] == []


RENAMES = {
    "the table": ("ALTER TABLE users RENAME TO people", "people", "email_lc", None),
    "its schema": ("CREATE SCHEMA s; ALTER TABLE users SET SCHEMA s", "users", "email_lc", "s"),
    "the column": ("ALTER TABLE users RENAME email_lc TO lower_email", "users", "lower_email", None),
}


@pytest.mark.parametrize("step", [stop_filling_column, drop_column_with_backfill])
@pytest.mark.parametrize("renamed", RENAMES)
def test_the_trigger_goes_when_table_or_column_have_another_name(users, step, renamed):
    add(users, new=column())
    statement, table, name, schema = RENAMES[renamed]
    users.execute(statement)
    run(users.url(), lambda: step(table, name, schema))
    assert catalog(users)["triggers"] == catalog(users)["functions"] == []
    relation = f"{schema or 'public'}.{table}"
    users.execute(f"INSERT INTO {relation} (id, email) VALUES (1000, 'EVE')")
    assert any(name == one[1] for one in catalog(users)["columns"]) == (step is stop_filling_column)


def test_a_column_that_got_another_name_is_filled_under_it_again(users):
    add(users, new=column())
    users.execute("ALTER TABLE users RENAME email_lc TO lower_email")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        users.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    add(users, new=sa.Column("lower_email", sa.Text))
    users.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    assert users.scalar("SELECT lower_email FROM users WHERE id = 1000") == "eve"
    assert len(catalog(users)["functions"]) == 1


def test_tables_and_columns_whose_names_run_together_are_filled_by_functions_of_their_own(database):
    database.execute(
        'CREATE TABLE order_item (id int PRIMARY KEY, v text); CREATE TABLE "order" (LIKE order_item INCLUDING ALL)'
    )
    both = (("order_item", "status"), ("order", "item_status"))
    for table, name in both:
        new = sa.Column(name, sa.Text)
        run(database.url(), lambda: add_column_with_backfill(table, new, "upper(v)"))  # noqa: B023
    for table, name in both:
        database.execute(f"INSERT INTO \"{table}\" VALUES (1, 'a')")
        assert database.scalar(f'SELECT {name} FROM "{table}"') == "A"
        run(database.url(), lambda: stop_filling_column(table, name))  # noqa: B023
    assert catalog(database)["triggers"] == catalog(database)["functions"] == []


def test_a_new_table_of_the_old_name_takes_no_function_from_a_table_that_was_renamed(users):
    add(users)
    users.execute(f"ALTER TABLE users RENAME TO people; {TABLE}; {ROWS.replace('300', '3')}")
    before = catalog(users)
    with pytest.raises(
        ConstraintRefused, match=r"triggers of public\.people call it.*stop_filling_column\(\)"
    ):
        add(users)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        apply(users, script_of(lambda: add_column_with_backfill("users", column(), "'other'")))
    run(users.url(), lambda: stop_filling_column("users", "email_lc"))
    assert catalog(users) == before
    users.execute("INSERT INTO people (id, email) VALUES (1000, 'EVE')")
    assert users.scalar("SELECT email_lc FROM people WHERE id = 1000") == "eve"
    run(users.url(), lambda: stop_filling_column("people", "email_lc"))
    assert catalog(users)["triggers"] == catalog(users)["functions"] == []
    add(users)
    assert wrong(users) == 0


def test_another_value_under_another_name_of_the_table_leaves_one_function(users):
    add(users)
    users.execute("ALTER TABLE users RENAME TO people")
    run(users.url(), lambda: add_column_with_backfill("people", column(), "upper(email)"))
    users.execute("INSERT INTO people (id, email) VALUES (1000, 'eve')")
    assert users.scalar("SELECT count(*) FROM people WHERE email_lc <> upper(email)") == 0
    assert len(catalog(users)["functions"]) == 1


def test_with_a_server_default_new_rows_have_that_and_there_is_no_trigger(users):
    add(users, new=column(nullable=False, server_default="it's new"))
    users.execute("INSERT INTO users (id, email) VALUES (1000, 'EVE')")
    assert users.scalar("SELECT email_lc FROM users WHERE id = 1000") == "it's new"
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc <> lower(email) AND id < 1000") == 0
    assert catalog(users)["triggers"] == []


def test_rows_for_which_the_expression_gives_null_stay_null_in_a_nullable_column(users):
    users.execute("UPDATE users SET email = NULL WHERE id = 7")
    link = Told()
    add(users, new=column(), link=link)
    assert users.rows("SELECT id FROM users WHERE email_lc IS NULL") == [(7,)]
    assert [facts["rows"] for kind, facts in link.facts if kind == "BackfillFinished"] == [299]


def test_rows_for_which_the_expression_gives_null_are_told_where_the_column_is_not_null(users):
    users.execute("UPDATE users SET email = NULL WHERE id = 7")
    with pytest.raises(RowsInTheWay, match=r"A row of public\.users does not obey NOT NULL of email_lc"):
        add(users)
    users.execute("UPDATE users SET email = 'EVE' WHERE id = 7")
    add(users)
    assert wrong(users) == 0


def test_only_rows_of_the_condition_are_filled(users):
    add(users, new=column(), where="id > 290 OR id < 3", fill_new_writes=False)
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc IS NOT NULL") == 12


def test_a_column_of_another_type_is_refused_and_both_are_shown(users):
    users.execute("ALTER TABLE users ADD COLUMN email_lc varchar(20)")
    with pytest.raises(ConstraintRefused, match=r"It is: character varying\(20\)\. Wanted: text"):
        add(users)


@pytest.mark.parametrize(
    ("new", "advice"),
    [
        (column(unique=True), "create_index_concurrently"),
        (column(index=True), "create_index_concurrently"),
        (sa.Column("a", sa.Integer, sa.ForeignKey("x.id")), "add_foreign_key_online"),
        (sa.Column("a", sa.Integer, sa.Computed("1")), "rewrite"),
        (sa.Column("a", sa.Integer, sa.Identity()), "rewrite"),
    ],
)
def test_what_needs_an_operation_of_its_own_is_refused(users, new, advice):
    before = catalog(users)
    with pytest.raises(ValueError, match=advice):
        add(users, new=new)
    assert catalog(users) == before


def test_what_a_revision_left_that_was_renamed_since_keeps_no_column_waiting_once_it_is_filled(users):
    add(users)
    users.execute(
        f"INSERT INTO {CHECKPOINT} SELECT 'old1: users (email_lc)', 0, table_name, columns, 7, false, fence, owner, "
        f"digest, signature, choice, state, started_at, updated_at - interval '1 hour' FROM {CHECKPOINT}"
    )
    run(users.url(), lambda: set_not_null_online("users", "email_lc"))
    users.execute(f"UPDATE {CHECKPOINT} SET updated_at = now() + interval '1 hour' WHERE NOT is_complete")
    with pytest.raises(ConstraintRefused, match="old1: users"):
        run(users.url(), lambda: set_not_null_online("users", "email_lc"))


def test_a_column_becomes_not_null_only_when_its_backfill_is_complete(users):
    run(users.url(), lambda: backfill("users", {"email": "'x' || id"}, "email IS NULL"))
    users.execute(f"UPDATE {CHECKPOINT} SET is_complete = false")
    with pytest.raises(
        ConstraintRefused, match=r"public\.users\.email cannot become NOT NULL yet: its backfill"
    ):
        run(users.url(), lambda: set_not_null_online("users", "email"))
    run(users.url(), lambda: set_not_null_online("users", "Sco%re: x"))
    users.execute(f"UPDATE {CHECKPOINT} SET is_complete = true")
    run(users.url(), lambda: set_not_null_online("users", "email"))


def test_the_script_leaves_what_the_operation_leaves(make_database):
    online, offline = make_database(), make_database()
    for one in (online, offline):
        one.execute(f"{TABLE}; {ROWS}")
    before = catalog(offline)

    def work():
        new = column(nullable=False, comment="c")
        add_column_with_backfill("users", new, "lower(email) || ':%'", schema="public")

    run(online.url(), work)
    apply(offline, script_of(work))
    assert catalog(offline) == catalog(online, CHECKPOINT, "headway_backfill_pkey")
    query = "SELECT id, email_lc FROM users ORDER BY 1"
    assert offline.rows(query) == online.rows(query)
    apply(offline, script_of(lambda: stop_filling_column("users", "email_lc")))
    assert catalog(offline)["triggers"] == catalog(offline)["functions"] == []
    apply(offline, script_of(lambda: drop_column_with_backfill("users", "email_lc")))
    assert catalog(offline) == before


def test_a_schema_and_odd_names(users):
    users.execute(
        'CREATE SCHEMA shop; CREATE TABLE shop."A b%: x" (id int PRIMARY KEY, v int); '
        'INSERT INTO shop."A b%: x" VALUES (1, 2)'
    )
    new = sa.Column("N%: y", sa.Integer, nullable=False)

    def work():
        add_column_with_backfill("A b%: x", new, "v * 2", schema="shop")

    for driver in ("psycopg2", "asyncpg"):
        run(users.url(driver), work)
        assert users.rows('SELECT "N%: y" FROM shop."A b%: x"') == [(4,)]
        run(users.url(driver), lambda: drop_column_with_backfill("A b%: x", "N%: y", schema="shop"))
        assert catalog(users)["triggers"] == catalog(users)["functions"] == []
