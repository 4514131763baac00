"""A backfill along a key of any type goes on after a stop where it was, and changes each row exactly once."""

from __future__ import annotations

import pytest

from headway import backfill
from support.revisions import StoppedByTest, Told, run

ROWS = 600
KEYS = {
    "date": ("d date", "date '1999-12-01' + n"),
    "timestamp with time zone": (
        "t timestamptz",
        "timestamptz '2026-03-29 00:00:00+00' + n * interval '7 minutes 3 microseconds'",
    ),
    "interval": ("i interval", "n * interval '1 hour 1 microsecond' - interval '10 days'"),
    "numeric": ("n numeric", "(n - 300) * 1.00000000000000000001"),
    "float with what is no number": (
        "f float8",
        "CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' ELSE sqrt(n) / 3 - 5 END",
    ),
    "text with everything in it": (
        "t text",
        "chr(32 + n % 90) || E'\\\\''\"\\n%(x)s :a {}' || chr(8364 + n) || n",
    ),
    "text by bytes": ('t text COLLATE "C"', "CASE WHEN n % 2 = 0 THEN 'a' ELSE 'B' END || n"),
    "empty text": ("t text", "CASE n WHEN 1 THEN '' ELSE n || ' ' END"),
    "padded text": ("c char(9)", "n || 'x'"),
    "bytes": ("b bytea", "decode(md5(n::text), 'hex') || '\\x00'::bytea"),
    "uuid": ("u uuid", "md5(n::text)::uuid"),
    "address": ("a inet", "inet '10.0.0.0' + n"),
    "enumeration and number": ("e level, n int", "(ARRAY['high', 'low'])[n % 2 + 1]::level, n"),
    "truth and number, downwards": ("b bool, n int", "n % 3 = 0, -n"),
    "domain": ("d positive", "n"),
    "array": ("a int[]", "ARRAY[n % 7, n]"),
    "three columns": ("a int, b text, c bigint", "n % 3, (n % 5)::text, n"),
    "a name that needs quotes": ('"Order %s No." int', "n"),
}
TYPES = """
    CREATE TYPE level AS ENUM ('low', 'high');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
"""


def columns_of(definition):
    return ", ".join(
        f'"{one.split(chr(34))[1]}"' if '"' in one[:2] else one.split()[0] for one in definition.split(", ")
    )


ASYNCHRONOUS = ("timestamp with time zone", "text with everything in it", "bytes", "array")
"""With a driver that has values of its own for these."""


@pytest.mark.parametrize(
    ("key", "driver"), [*((key, "psycopg") for key in KEYS), *((key, "asyncpg") for key in ASYNCHRONOUS)]
)
def test_each_row_is_changed_exactly_once_over_stops(database, key, driver):
    definition, values = KEYS[key]
    database.execute(TYPES)
    columns = columns_of(definition)
    database.execute(
        f"CREATE TABLE accounts ({definition}, balance int NOT NULL DEFAULT 0, PRIMARY KEY ({columns}));"
        f"INSERT INTO accounts SELECT {values} FROM generate_series(1, {ROWS}) AS n; ANALYZE accounts"
    )
    stops = 0
    while stops < 20:
        told = Told()
        asked = iter([{}, {}, {}])
        told.wishes = lambda asked=asked: next(asked, {"stop": True})
        try:
            run(
                database.url(driver),
                lambda: backfill("accounts", {"balance": "balance + 1"}, batch_rows=60, strategy="keyset"),
                told,
            )
            break
        except StoppedByTest:
            stops += 1
    assert 2 <= stops < 20
    assert database.rows("SELECT balance, count(*) FROM accounts GROUP BY balance") == [(1, ROWS)]
