"""The scripts of a new name and a new type do on a server what their comments say."""

from __future__ import annotations

import io

import psycopg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

import headway
from support.catalog import catalog
from support.scripts import apply, script_of, statements_of

TABLE = (
    "CREATE TABLE users (id int PRIMARY KEY, name varchar(50)); INSERT INTO users VALUES (1, 'a'), (2, NULL)"
)


def script(work):
    """What `alembic upgrade --sql` writes for the body of a revision."""
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer}
    )
    with context.begin_transaction(_per_migration=False), Operations.context(context):
        work()
    return buffer.getvalue()


@pytest.mark.parametrize("schema", [None, "My Schema"])
def test_a_rename_by_scripts(database, schema):
    if schema:
        database.execute(
            f'CREATE SCHEMA "{schema}"; ALTER DATABASE {database.name} SET search_path = "{schema}"'
        )
    database.execute(TABLE)
    expand = script(lambda: headway.rename_column_expand("users", "name", "full_name", schema=schema))
    assert "-- Online" in expand
    apply(database, expand)
    database.execute(
        "INSERT INTO users VALUES (3, 'old'); INSERT INTO users (id, full_name) VALUES (4, 'new')"
    )
    database.execute("SET search_path = pg_catalog; SELECT 1")
    assert database.rows("SELECT name, full_name FROM users ORDER BY id") == [
        ("a", "a"), (None, None), ("old", "old"), ("new", "new"),
    ]  # fmt: skip
    kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'full_name'"
    assert database.scalar(kind) == "character varying(50)"
    undo = script(lambda: headway.rename_column_undo("users", "name", "full_name", schema=schema))
    apply(database, undo)
    apply(database, expand)
    apply(
        database, script(lambda: headway.rename_column_contract("users", "name", "full_name", schema=schema))
    )
    assert database.rows("SELECT full_name FROM users WHERE id = 4") == [("new",)]
    assert database.scalar("SELECT count(*) FROM pg_proc WHERE proname LIKE '%headway%'") == 0


def test_a_new_type_by_scripts(database):
    database.execute(TABLE + "; CREATE TABLE items (id int, price text); INSERT INTO items VALUES (1, '1')")
    how = {"using": "price::int", "back": "price::text"}
    apply(database, script(lambda: headway.change_type_expand("items", "price", sa.Integer, **how)))
    database.execute("INSERT INTO items VALUES (2, '2'), (3, 'none'); INSERT INTO items VALUES (4, NULL, 4)")
    assert database.rows("SELECT price, price__new FROM items ORDER BY id") == [
        ("1", 1), ("2", 2), ("none", None), ("4", 4),
    ]  # fmt: skip
    apply(database, script(lambda: headway.change_type_undo("items", "price")))
    database.execute("DELETE FROM items WHERE id = 3")
    apply(database, script(lambda: headway.change_type_expand("items", "price", sa.Integer, **how)))
    apply(database, script(lambda: headway.change_type_contract("items", "price", sa.Integer)))
    assert database.rows("SELECT price FROM items ORDER BY id") == [(1,), (2,), (4,)]


STEPS = {
    "rename, expand": lambda: headway.rename_column_expand("users", "name", "full_name"),
    "rename, contract": lambda: headway.rename_column_contract("users", "name", "full_name"),
    "rename, undo": lambda: headway.rename_column_undo("users", "name", "full_name"),
    "type, expand": lambda: headway.change_type_expand("users", "name", sa.Text()),
    "type, contract": lambda: headway.change_type_contract("users", "name", sa.Text()),
    "type, undo": lambda: headway.change_type_undo("users", "name"),
}


@pytest.mark.parametrize("step", STEPS)
def test_what_takes_strong_locks_is_one_transaction_with_a_time_out(step):
    statements = statements_of(script_of(STEPS[step]))
    # The first pair is Alembic's own, which the operation leaves.
    assert statements[:4] == ["BEGIN", "COMMIT", "BEGIN", "SET LOCAL lock_timeout = '2s'"]
    end = statements.index("COMMIT", 2)
    strong = [
        number
        for number, one in enumerate(statements)
        if one.startswith(("ALTER", "CREATE", "DROP")) or "ADD COLUMN" in one
    ]
    assert strong
    assert all(3 < number < end for number in strong)


def test_a_reader_of_long_makes_a_script_fail_soon_and_with_nothing_half_done(database):
    database.execute(TABLE + f"; ALTER DATABASE {database.name} SET statement_timeout = '20s'")
    apply(database, script_of(STEPS["type, expand"]))
    before = catalog(database)
    reader = database.connect(autocommit=False)
    reader.execute("SELECT * FROM users")
    contract = script_of(STEPS["type, contract"])
    with pytest.raises(psycopg.errors.LockNotAvailable):
        apply(database, contract)
    reader.close()
    assert catalog(database) == before
    apply(database, contract)
    assert database.scalar("SELECT pg_typeof(name)::text FROM users LIMIT 1") == "text"


def test_on_another_database_it_is_refused_with_advice():
    with sa.create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        with (
            Operations.context(context),
            pytest.raises(Exception, match=r"this database is sqlite\. There use op\.alter_column\(\)"),
        ):
            headway.rename_column_expand("users", "name", "full_name")
