"""A table of which an index is built as far as one row, and no further until the test lets it go."""

from __future__ import annotations

from support.postgres import Database

ROWS = 4000
HELD_ROW = 3000
KEY = 41
INDEX = "events_kind"
TABLE = f"""
    CREATE TABLE events (id int PRIMARY KEY, kind text);
    INSERT INTO events SELECT n, repeat('x', 500) FROM generate_series(1, {ROWS}) AS n;
    ANALYZE events;
    CREATE FUNCTION kind_of(id int, kind text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        IF id = {HELD_ROW} THEN PERFORM pg_advisory_xact_lock_shared({KEY}); END IF;
        RETURN kind;
    END $$
"""
"""Immutable, as far as an index goes; the server reads the table row by row and waits in the middle of it."""
BUILD = f"""
from headway import create_index_concurrently
create_index_concurrently("{INDEX}", "events", [sa.text("kind_of(id, kind)")])
"""
"""The body of a revision."""


class HeldIndex:
    """Holds the build from the beginning; the percentage is that of the blocks before the row."""

    def __init__(self, database: Database) -> None:
        database.execute(TABLE)
        self._database = database
        self._holder = database.connect()
        self._holder.execute(f"SELECT pg_advisory_lock({KEY})".encode())
        block, blocks = database.rows(
            "SELECT (ctid::text::point)[0], pg_relation_size('events') / current_setting('block_size')::int "
            f"FROM events WHERE id = {HELD_ROW}"
        )[0]
        self.percent = 100.0 * float(block) / float(blocks)

    def let_go(self) -> None:
        """It is built to its end."""
        self._holder.execute(f"SELECT pg_advisory_unlock({KEY})".encode())

    @property
    def is_built(self) -> bool:
        """And valid."""
        return bool(
            self._database.scalar(
                f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{INDEX}')"
            )
        )
