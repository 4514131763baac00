"""The operations on MariaDB and MySQL: Alembic's own, with a word on it, and each again where it can be."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

import headway
from headway.columns.wanted import CannotChange
from support.revisions import Told, run

ROWS = 500


@pytest.fixture
def shop(mysql_url):
    engine = sa.create_engine(mysql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE users (id int PRIMARY KEY, email varchar(90), boss int) ENGINE=InnoDB"
        )
        values = ", ".join(f"({i}, 'User{i}@X', 1)" for i in range(1, ROWS + 1))
        connection.exec_driver_sql(f"INSERT INTO users VALUES {values}")
    yield engine
    engine.dispose()


def do(shop, work):
    """As a revision; what was noticed."""
    told = Told()
    run(shop.url.render_as_string(hide_password=False), work, told)
    return " ".join(told.notices())


def rows(shop, query):
    with shop.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query).fetchall()]


def column(shop, name):
    return {one["name"]: one for one in sa.inspect(shop).get_columns("users")}.get(name)


def test_an_index_is_built_and_dropped(shop):
    said = do(shop, lambda: headway.create_index_concurrently("i", "users", ["email"], unique=True))
    assert "built as mysql builds indexes" in said
    assert [(one["name"], one["unique"]) for one in sa.inspect(shop).get_indexes("users")] == [("i", True)]
    do(shop, lambda: headway.drop_index_concurrently("i", "users"))
    assert sa.inspect(shop).get_indexes("users") == []


def test_a_column_becomes_not_null_and_null_again_with_its_type_given(shop):
    kind = sa.String(90)
    said = do(shop, lambda: headway.set_not_null_online("users", "email", existing_type=kind))
    assert "becomes NOT NULL as mysql does it" in said
    assert (column(shop, "email")["nullable"], column(shop, "email")["type"].length) == (False, 90)
    do(shop, lambda: headway.drop_not_null_online("users", "email", existing_type=kind))
    assert column(shop, "email")["nullable"] is True


def test_a_null_in_the_way_fails_and_changes_nothing(shop):
    with shop.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = NULL WHERE id = 7")
    with pytest.raises(DBAPIError, match="email"):
        do(shop, lambda: headway.set_not_null_online("users", "email", existing_type=sa.String(90)))
    assert column(shop, "email")["nullable"] is True


def test_checks_and_foreign_keys_are_added_and_dropped(shop):
    do(shop, lambda: headway.add_check_online("positive", "users", "id > 0"))
    do(shop, lambda: headway.add_foreign_key_online("fk", "users", "users", ["boss"], ["id"]))
    with pytest.raises(DBAPIError, match="positive"), shop.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES (-1, 'x', 1)")
    with pytest.raises(DBAPIError, match="fk"), shop.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES (9999, 'x', 12345)")
    do(shop, lambda: headway.drop_constraint_online("fk", "users", "foreignkey"))
    do(shop, lambda: headway.drop_constraint_online("positive", "users", "check"))
    with shop.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users VALUES (-1, 'x', 12345)")


def test_a_column_is_added_filled_and_dropped_and_each_again_is_no_failure(shop):
    def add():
        headway.add_column_with_backfill(
            "users", sa.Column("email_lc", sa.String(90), nullable=False), "lower(email)"
        )

    for _ in range(2):
        assert "without a trigger for new writes" in do(shop, add)
        assert rows(shop, "SELECT count(*) FROM users WHERE email_lc = BINARY lower(email)") == [(ROWS,)]
        assert column(shop, "email_lc")["nullable"] is False
    for _ in range(2):
        do(shop, lambda: headway.drop_column_with_backfill("users", "email_lc"))
        assert column(shop, "email_lc") is None


def test_a_new_name_and_a_new_type_are_refused_with_advice(shop):
    for work in (
        lambda: headway.rename_column_expand("users", "email", "mail"),
        lambda: headway.change_type_expand("users", "boss", sa.BigInteger()),
    ):
        with pytest.raises(CannotChange, match="PostgreSQL"):
            do(shop, work)
    assert column(shop, "mail") is None
