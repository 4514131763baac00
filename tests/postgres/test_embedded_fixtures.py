"""The database fixtures: every test gets its own clone, and what it leaves open does not reach the next."""

from __future__ import annotations


def test_a_test_gets_an_empty_database(database):
    assert database.tables() == set()
    assert database.scalar("SELECT current_database()") == database.name


def test_several_databases_are_apart_and_a_filled_one_can_be_cloned(make_database):
    first = make_database("first")
    first.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1), (2)")
    second, clone = make_database("second"), make_database("clone", template=first)
    assert (first.tables(), second.tables(), clone.tables()) == ({"users"}, set(), {"users"})
    assert clone.rows("SELECT id FROM users ORDER BY id") == [(1,), (2,)]


def test_a_dropped_database_takes_its_connections_with_it(postgres_server):
    made = postgres_server.make_database("dropped")
    connection = made.connect()
    postgres_server.drop(made)
    assert connection.closed
