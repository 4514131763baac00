"""The scripts of a new name and a new type do on a server what their comments say."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

import headway
from support.scripts import apply

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


def test_on_another_database_it_is_refused_with_advice():
    with sa.create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        with (
            Operations.context(context),
            pytest.raises(Exception, match=r"this database is sqlite\. There use op\.alter_column\(\)"),
        ):
            headway.rename_column_expand("users", "name", "full_name")
