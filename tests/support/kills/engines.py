"""A small backfill that is right, and four that are wrong: what the proof itself is proven with.

They walk along the primary key (or the blocks) on a session of their own, and differ in one thing only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from alembic import op
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.sessions import OwnSession
from headway.statements import sqlstate

BATCH = 400
DEADLOCK_DETECTED = "40P01"
BLOCKS = 10
CHECKPOINT = """
    CREATE TABLE IF NOT EXISTS reference_checkpoint
        (last text, rows bigint NOT NULL DEFAULT 0, is_complete bool NOT NULL DEFAULT false);
    INSERT INTO reference_checkpoint (last) SELECT NULL WHERE NOT EXISTS (SELECT FROM reference_checkpoint)
"""
KEY = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_index JOIN pg_attribute ON attrelid = indrelid
    WHERE indrelid = 'items'::regclass AND indisprimary AND attnum = ANY (indkey)
    ORDER BY array_position(indkey::int2[], attnum)
"""


@dataclass(frozen=True)
class Range:
    """Which rows are next: a condition, what the checkpoint says once they are done."""

    condition: str
    last: str


@dataclass(frozen=True)
class Reference:
    """A backfill with the signature of the library's, for the table `items` alone."""

    checkpoint: str = "with"
    """In the batch's transaction ("with"), or in one of its own "before" or "after" it."""
    order: str = "key"
    """"key", or "blocks" up to the last one that there was at the start."""
    final_sweep: bool = True
    reads_first: bool = False
    """Computes from what a subquery read, whatever others write meanwhile."""

    def __call__(self, table: str, values: Mapping[str, str], where: str = "true", **_: object) -> None:
        """Goes on where the checkpoint says; the session-level lock keeps a killed one's server process out."""
        with op.get_context().autocommit_block():
            session = OwnSession(op.get_bind().engine)
            try:
                session.do(lambda connection: self._run(connection, values, where))
            finally:
                session.close()

    def _run(self, connection: Connection, values: Mapping[str, str], where: str) -> None:
        connection.execute(text("SELECT pg_advisory_lock(4711)"))
        connection.execute(text(CHECKPOINT))
        connection.commit()
        while part := self._next(connection):
            self._apply(connection, values, where, part)
        while self.final_sweep and where != "true":
            rest = Range(f"ctid = ANY (ARRAY(SELECT ctid FROM items WHERE {where} LIMIT {BATCH}))", "the end")
            if not self._apply(connection, values, where, rest):
                break
        connection.execute(text("UPDATE reference_checkpoint SET is_complete = true"))
        connection.commit()

    def _next(self, connection: Connection) -> Range | None:
        last = connection.scalar(text("SELECT last FROM reference_checkpoint"))
        if last == "the end":
            return None
        part = self._blocks(connection, last) if self.order == "blocks" else _keys(connection, last)
        connection.rollback()
        return part

    def _blocks(self, connection: Connection, last: str | None) -> Range | None:
        pages = connection.scalar(text("SELECT pg_relation_size('items') / 8192"))
        first, end = json.loads(last) if last else (0, pages)
        if first >= end:
            return None
        until = min(first + BLOCKS, end)
        return Range(f"ctid >= '({first},0)' AND ctid < '({until},0)'", json.dumps([until, end]))

    def _apply(self, connection: Connection, values: Mapping[str, str], where: str, part: Range) -> int:
        if self.checkpoint == "before":
            self._remember(connection, part, 0)
            connection.commit()
        changed = self._changed(connection, self._update(values, where, part))
        if self.checkpoint == "after":
            connection.commit()
        self._remember(connection, part, changed, is_last_said=self.checkpoint == "before")
        connection.commit()
        return changed

    def _changed(self, connection: Connection, update: str) -> int:
        """What it does wrong is not that it meets the writers' locks in another order than theirs."""
        while True:
            try:
                return connection.execute(text(update)).rowcount
            except DBAPIError as error:
                connection.rollback()
                if sqlstate(error) != DEADLOCK_DETECTED:
                    raise

    def _update(self, values: Mapping[str, str], where: str, part: Range) -> str:
        assignments = ", ".join(f"{column} = {value}" for column, value in values.items())
        if not self.reads_first:
            return f"UPDATE items SET {assignments} WHERE {part.condition} AND ({where})"
        return (
            "UPDATE items SET balance = read.balance + 1 "
            f"FROM (SELECT id, balance FROM items WHERE {part.condition}) AS read WHERE items.id = read.id"
        )

    def _remember(
        self, connection: Connection, part: Range, changed: int, is_last_said: bool = False
    ) -> None:
        said = "" if is_last_said else "last = :last, "
        statement = text(f"UPDATE reference_checkpoint SET {said}rows = rows + :changed")
        connection.execute(statement, {"changed": changed} | ({} if is_last_said else {"last": part.last}))


def _keys(connection: Connection, last: str | None) -> Range | None:
    columns = [tuple(one) for one in connection.execute(text(KEY))]
    key = ", ".join(name for name, _ in columns)
    after = f"({key}) > ({_literals(columns, json.loads(last))})" if last else "true"
    texts = ", ".join(f"{name}::text" for name, _ in columns)
    bound = connection.execute(
        text(f"SELECT {texts} FROM items WHERE {after} ORDER BY {key} LIMIT {BATCH}")
    ).all()
    if not bound:
        return None
    until = f"({key}) <= ({_literals(columns, bound[-1])})"
    return Range(f"{after} AND {until}", json.dumps(list(bound[-1])))


def _literals(columns: list[tuple[str, str]], values: list[str]) -> str:
    return ", ".join(f"CAST('{value}' AS {kind})" for (_, kind), value in zip(columns, values, strict=True))


right = Reference()
checkpoint_before_the_batch = Reference(checkpoint="before")
checkpoint_after_the_batch = Reference(checkpoint="after")
one_pass_over_blocks = Reference(order="blocks", final_sweep=False)
one_pass_along_the_key = Reference(final_sweep=False)
values_that_were_read_before = Reference(reads_first=True)
