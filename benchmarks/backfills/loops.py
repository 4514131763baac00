"""What a backfill is compared with: each is the work of a revision, in a session of its own.

Reads HEADWAY_BENCH_DSN (a URL that psycopg takes) and HEADWAY_BENCH_TABLE.
"""

from __future__ import annotations

import os

import psycopg

TABLE = os.environ["HEADWAY_BENCH_TABLE"]
VALUE = "CASE WHEN is_active THEN 'active' ELSE 'inactive' END"


def guide(connection: psycopg.Connection) -> None:
    """The guide's loop: a thousand rows without the column, wherever, locked, then updated by their keys."""
    while True:
        rows = connection.execute(
            f"SELECT id FROM {TABLE} WHERE status IS NULL LIMIT 1000 FOR UPDATE SKIP LOCKED"
        ).fetchall()
        if not rows:
            break
        connection.execute(
            f"UPDATE {TABLE} SET status = {VALUE} WHERE id = ANY(%s)", [[one for (one,) in rows]]
        )
        connection.commit()


def single(connection: psycopg.Connection) -> None:
    """One statement, one transaction."""
    connection.execute(f"UPDATE {TABLE} SET status = {VALUE} WHERE status IS NULL")
    connection.commit()


def keyset(connection: psycopg.Connection, size: int = 1000) -> None:
    """Along the primary key by a thousand rows, a transaction each; then what was left behind, once."""
    after: tuple[str, list[object]] = ("true", [])
    while True:
        condition, parameters = after
        bound = connection.execute(
            f"SELECT id FROM {TABLE} WHERE {condition} ORDER BY id LIMIT 1 OFFSET {size - 1}", parameters
        ).fetchone()
        until, last = ("id <= %s", list(bound)) if bound else ("true", [])
        connection.execute(
            f"UPDATE {TABLE} SET status = {VALUE} WHERE {condition} AND {until} AND status IS NULL",
            [*parameters, *last],
        )
        connection.commit()
        if not bound:
            break
        after = ("id > %s", last)
    single(connection)


def run(name: str) -> None:
    """One of them, to its end."""
    with psycopg.connect(os.environ["HEADWAY_BENCH_DSN"]) as opened:
        {"guide": guide, "single": single, "keyset": keyset}[name](opened)
