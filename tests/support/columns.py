"""Tables with all that hangs on a column, and applications of two ages that write them at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from support.cuts import cut_at
from support.postgres import Database

SHOP = """
    CREATE TABLE users (
        id serial PRIMARY KEY,
        name varchar(50) NOT NULL DEFAULT 'nobody' CHECK (name <> ''),
        email text UNIQUE,
        friend int REFERENCES users,
        other int
    );
    CREATE INDEX ix_users_name ON users (lower(name) text_pattern_ops, id DESC) INCLUDE (email) WHERE name <> 'zz';
    COMMENT ON COLUMN users.name IS 'what they are called';
    CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE, n int);
    CREATE INDEX ix_orders_user_id ON orders (user_id, n);
    INSERT INTO users (name, email) SELECT 'n' || i, 'e' || i FROM generate_series(1, {rows}) i;
    INSERT INTO orders (user_id) SELECT i FROM generate_series(1, {rows}) i;
"""

SMALL = """
    CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'nobody' UNIQUE CHECK (name <> ''));
    CREATE INDEX ix_users_name ON users (lower(name));
    CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
    INSERT INTO users (name) VALUES ('a'), ('b');
    INSERT INTO orders VALUES (1, 1);
"""
"""The same with less in it, for what is done a hundred times."""


@dataclass
class Application:
    """One that writes through one column, as its release does it, until it is stopped; its errors are kept."""

    database: Database
    write: Callable[[psycopg.Connection, int], object]
    errors: list[BaseException] = field(default_factory=list)
    written: int = 0

    def run(self, is_over: threading.Event) -> None:
        """In a thread of its own."""
        try:
            with psycopg.connect(self.database.address, autocommit=True) as connection:
                # Its statements are not held up longer than a definition may.
                connection.execute("SET statement_timeout = '20s'")
                while not is_over.is_set():
                    self.write(connection, self.written)
                    self.written += 1
        except psycopg.Error as error:
            self.errors.append(error)


@contextmanager
def running(*applications: Application) -> Iterator[None]:
    """They write all the while; at the end each has written, without an error."""
    is_over = threading.Event()
    threads = [threading.Thread(target=one.run, args=(is_over,)) for one in applications]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    for one in applications:
        assert one.errors == []
        assert one.written > 0


def cut_everywhere(
    database: Database,
    prepare: Callable[[Database], object],
    work: Callable[[Database], object],
    check: Callable[[Database], object],
) -> list[str]:
    """Cut before each statement that changes something, in turn; after a second run `check` looks. The statements.

    Before the next one is after the last one, committed or not, so this is every state that a cut can leave.
    """
    statements: list[str] = []
    while True:
        database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        prepare(database)
        cut = cut_at(database, len(statements), False, lambda: work(database))
        if not cut.statement:
            return statements
        statements.append(cut.statement)
        work(database)
        check(database)
