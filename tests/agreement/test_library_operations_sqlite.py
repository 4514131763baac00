"""The operations elsewhere than on PostgreSQL: Alembic's own, with a word on it, and each again where it can be."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import headway
from headway.operations import add_column
from headway.place import here
from support.revisions import Told, revision_on


@pytest.fixture
def connection():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE TABLE users (id integer PRIMARY KEY, email text)"))
        connection.execute(sa.text("INSERT INTO users (email) VALUES ('A'), ('B')"))
        connection.commit()
        yield connection
    engine.dispose()


def indexes(connection):
    return {one["name"]: one for one in sa.inspect(connection).get_indexes("users")}


def columns(connection):
    return {one["name"]: one for one in sa.inspect(connection).get_columns("users")}


def test_an_index_is_built_and_dropped_as_alembic_does_it(connection):
    link = Told()
    with revision_on(connection, link):
        headway.create_index_concurrently("i", "users", ["email"], unique=True, where="id > 1", using="btree")
    assert indexes(connection)["i"]["unique"] == 1
    statement = "SELECT sql FROM sqlite_master WHERE name = 'i'"
    assert connection.execute(sa.text(statement)).scalar().endswith("WHERE id > 1")
    assert link.notices() == ["The index of users is built as sqlite builds indexes."]
    with revision_on(connection, link):
        headway.drop_index_concurrently("i", "users")
    assert indexes(connection) == {}


def test_a_column_becomes_not_null_and_null_again(connection):
    link = Told()
    with revision_on(connection, link):
        headway.set_not_null_online("users", "email")
    assert columns(connection)["email"]["nullable"] is False
    assert link.notices() == ["users.email becomes NOT NULL as sqlite does it."]
    with revision_on(connection, link):
        headway.drop_not_null_online("users", "email")
    assert columns(connection)["email"]["nullable"] is True


def test_checks_and_foreign_keys_are_added_and_dropped_by_making_the_table_anew(connection):
    link = Told()
    with revision_on(connection, link):
        headway.add_check_online("positive", "users", "id > 0")
        headway.add_foreign_key_online("fk", "users", "users", ["id"], ["id"])
    assert [one["name"] for one in sa.inspect(connection).get_check_constraints("users")] == ["positive"]
    assert [one["name"] for one in sa.inspect(connection).get_foreign_keys("users")] == ["fk"]
    assert len(link.notices()) == 2
    with revision_on(connection, link):
        headway.drop_constraint_online("fk", "users", "foreignkey")
    assert sa.inspect(connection).get_foreign_keys("users") == []


def test_a_column_is_added_filled_and_dropped_and_each_again_is_no_failure(connection, monkeypatch):
    """The rows are filled by one statement here; how a backfill does it has tests of its own."""

    def fill(table, values, where, **_):
        ((column, value),) = values.items()
        here().operations.execute(f"UPDATE {table} SET {column} = {value} WHERE {where}")

    monkeypatch.setattr(add_column, "backfill", fill)
    new, link = sa.Column("lower_email", sa.Text, nullable=False, server_default="it's new"), Told()
    for _ in range(2):
        with revision_on(connection, link):
            headway.add_column_with_backfill("users", new, "lower(email)")
    assert columns(connection)["lower_email"]["default"] == "'it''s new'"
    assert columns(connection)["lower_email"]["nullable"] is False
    found = connection.execute(sa.text("SELECT lower_email FROM users")).fetchall()
    assert [value for (value,) in found] == ["a", "b"]
    assert link.notices()[0] == "The column users.lower_email is added as sqlite adds columns."
    for _ in range(2):
        with revision_on(connection):
            headway.drop_column_with_backfill("users", "lower_email")
    assert list(columns(connection)) == ["id", "email"]


def test_without_a_default_it_is_said_that_nothing_fills_new_rows(connection, monkeypatch):
    monkeypatch.setattr(add_column, "backfill", lambda *_, **__: None)
    link = Told()
    with revision_on(connection, link):
        headway.add_column_with_backfill("users", sa.Column("lower_email", sa.Text), "lower(email)")
        headway.stop_filling_column("users", "lower_email")
    assert link.notices() == [
        "The column users.lower_email is added as sqlite adds columns, without a trigger for new writes."
    ]
