"""The tables that are backfilled: made once each, every run gets a copy of its own."""

from __future__ import annotations

from dataclasses import dataclass

from support.postgres import Database, PostgresServer

TABLE = "users"
VALUE = "CASE WHEN is_active THEN 'active' ELSE 'inactive' END"
KEYS = {"bigint": "bigint", "uuid": "uuid"}


@dataclass(frozen=True)
class Case:
    """One shape of table."""

    rows: int
    key: str = "bigint"
    fillfactor: int = 100
    indexed: bool = False
    """An index on the column that is filled is there before."""

    def __str__(self) -> str:
        pages = "full pages" if self.fillfactor == 100 else f"fillfactor {self.fillfactor}"
        index = "index on the target" if self.indexed else "no index on the target"
        return f"{self.rows / 1e6:g} million rows, {self.key} key, {pages}, {index}"


def make(server: PostgresServer, case: Case) -> Database:
    """A template: about 49 rows on a full page; an index on `email` as well as the key."""
    database = server.make_database("bench")
    identifier = "n" if case.key == "bigint" else "gen_random_uuid()"
    database.execute(
        f"CREATE TABLE {TABLE} (id {KEYS[case.key]} NOT NULL, email text NOT NULL, name text NOT NULL, "
        "is_active bool NOT NULL, seen int NOT NULL DEFAULT 0, status varchar(20)) "
        f"WITH (fillfactor = {case.fillfactor});"
        f"INSERT INTO {TABLE} (id, email, name, is_active) SELECT {identifier}, 'User' || n || '@Example.com', "
        f"repeat('x', 60 + n % 30), n % 3 > 0 FROM generate_series(1, {case.rows}) AS n;"
        f"ALTER TABLE {TABLE} ADD PRIMARY KEY (id);"
        f"CREATE INDEX {TABLE}_email ON {TABLE} (email);"
    )
    if case.indexed:
        database.execute(f"CREATE INDEX {TABLE}_status ON {TABLE} (status)")
    database.execute(f"VACUUM ANALYZE {TABLE}")
    return database


def copy(server: PostgresServer, template: Database) -> Database:
    """Fresh, read once, nothing left to be written out."""
    database = server.make_database("bench", template)
    database.execute(f"SELECT sum(length(email)) FROM {TABLE}")
    database.execute(f"SELECT count(*) FROM {TABLE} WHERE id IS NOT NULL")
    database.execute("CHECKPOINT")
    return database
