"""What is told of an exception: enough to act upon, and nothing of statements, parameters and rows."""

from __future__ import annotations

import sqlite3
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import CompileError, DataError, IntegrityError, StatementError

from headway_runner.words.wording import describe, print_frames


class Driver(Exception):
    """As drivers have it: a text, a state, PostgreSQL's fields."""

    def __init__(self, text, sqlstate=None, diag=None):
        super().__init__(text)
        self.sqlstate = sqlstate
        self.diag = diag


class Diag:
    message_hint = message_detail = context = table_name = column_name = constraint_name = None
    schema_name = datatype_name = None

    def __init__(self, **fields):
        vars(self).update(fields)


def wrapped(
    text, sqlstate=None, statement="INSERT INTO t VALUES (:a)", params=None, kind=DataError, **fields
):
    diag = Diag(message_primary=text.split("\n")[0], **fields) if fields else None
    return kind(statement, params or {}, Driver(text, sqlstate, diag))


TOLD = {
    "PostgreSQL, a value that is no number": (
        wrapped('invalid input syntax for type integer: "c4n"', "22P02"),
        'invalid input syntax for type integer: "…"',
    ),
    "PostgreSQL, a value with quotes": (
        wrapped('invalid input syntax for type integer: "it "c4n" \'c4n\'"', "22P02"),
        'invalid input syntax for type integer: "…"',
    ),
    "PostgreSQL in German": (
        wrapped("ungültige Eingabesyntax für Typ integer: »c4n«", "22P02"),
        'ungültige Eingabesyntax für Typ integer: "…"',
    ),
    "PostgreSQL, an enum": (
        wrapped('invalid input value for enum mood: "c4n"', "22P02"),
        'invalid input value for enum mood: "…"',
    ),
    "PostgreSQL, too long": (
        wrapped("value too long for type character varying(3)", "22001"),
        "value too long for type character varying(3)",
    ),
    "PostgreSQL, a parameter that a trigger raises": (
        wrapped("no such customer: c4nary", "P0001", params={"a": "c4nary"}),
        "no such customer: …",
    ),
    "PostgreSQL, a literal that a trigger raises": (
        wrapped("no such customer: c4nary", "P0001", statement="SELECT f('c4nary')"),
        "no such customer: …",
    ),
    "PostgreSQL, a literal in a block": (
        wrapped(
            "no customer c4nary", "P0001", statement="DO $x$ BEGIN RAISE 'no customer %', 'c4nary'; END $x$"
        ),
        "no customer …",
    ),
    "PostgreSQL, many parameters": (
        wrapped("bad: 4711000", "P0001", params=[{"a": 1}, {"a": [{"b": 4711000}]}]),
        "bad: …",
    ),
    "PostgreSQL, a row that is there twice": (
        wrapped(
            'duplicate key value violates unique constraint "users_email_key"\n'
            "DETAIL:  Key (email)=(c4nary) already exists.",
            "23505",
            kind=IntegrityError,
        ),
        'duplicate key value violates unique constraint "users_email_key"',
    ),
    "PostgreSQL in German, with its fields": (
        wrapped(
            "doppelter Schlüsselwert verletzt Unique-Constraint »k«\n"
            "DETAIL:  Schlüssel »(a)=(c4n)« existiert bereits.\nTIP:  x\nKONTEXT:  c4n",
            "23505",
            message_detail="Schlüssel »(a)=(c4n)« existiert bereits.",
        ),
        "doppelter Schlüsselwert verletzt Unique-Constraint »k«",
    ),
    "PostgreSQL, a name that is also a parameter": (
        wrapped(
            'null value in column "email" of relation "users" violates not-null constraint',
            "23502",
            params={"a": "email", "b": "users"},
            column_name="email",
            table_name="users",
        ),
        'null value in column "email" of relation "users" violates not-null constraint',
    ),
    "PostgreSQL, syntax": (
        wrapped('syntax error at or near "selct"', "42601"),
        'syntax error at or near "selct"',
    ),
    "PostgreSQL, syntax at a literal": (
        wrapped("syntax error at or near \"'c4n'\"", "42601"),
        'syntax error at or near "…"',
    ),
    "PostgreSQL, an open literal": (
        wrapped('unterminated quoted string at or near "\'c4n);"', "42601"),
        'unterminated quoted string at or near "…"',
    ),
    "asyncpg, before it sends": (
        wrapped(
            "<class 'asyncpg.exceptions.DataError'>: "
            "invalid input for query argument $1: 'c4n (x) c4n' (expected int)"
        ),
        "invalid input for query argument $1: … (expected int)",
    ),
    "pg8000": (
        IntegrityError(
            "INSERT",
            {},
            Driver({"S": "ERROR", "C": "23505", "M": 'violates "k"', "D": "Key (a)=(c4n)", "H": "do"}),
        ),
        'violates "k". HINT: do',
    ),
    "MySQL, a row that is there twice": (
        wrapped("(1062, \"Duplicate entry 'c4n 'x' for key' for key 'users.email'\")"),
        "(1062, \"Duplicate entry '…' for key 'users.email'\")",
    ),
    "MySQL, a value that is no number": (
        wrapped("(1366, \"Incorrect integer value: 'c4n' for column 'age' at row 1\")"),
        "(1366, \"Incorrect integer value: '…' for column 'age' at row 1\")",
    ),
    "MySQL, a cut value": (
        wrapped("(1292, \"Truncated incorrect DOUBLE value: 'c4n'\")"),
        "(1292, \"Truncated incorrect DOUBLE value: '…'\")",
    ),
    "MySQL, syntax": (
        wrapped("(1064, \"You have an error in your SQL syntax; use near 'c4n') x' at line 3\")"),
        "(1064, \"You have an error in your SQL syntax; use near '…' at line 3\")",
    ),
    "MySQL, too long": (
        wrapped("(1406, \"Data too long for column 'name' at row 1\")"),
        "(1406, \"Data too long for column 'name' at row 1\")",
    ),
    "libpq, a password that is not encoded": (
        Driver('invalid percent-encoded token: "c4n%zz"'),
        'Driver: invalid percent-encoded token: "…"',
    ),
    "libpq, a DSN": (
        Driver('missing "=" after "c4n" in connection info string'),
        'Driver: missing "…" in connection info string',
    ),
    "SQLAlchemy, a value of no enum": (
        StatementError(
            "x", "INSERT", {}, LookupError("'c4n' is not among the defined enum values. Enum name: mood.")
        ),
        'LookupError: "…" is not among the defined enum values. Enum name: mood.',
    ),
    "SQLAlchemy, a value that cannot be written": (
        CompileError("No literal value renderer is available for literal value \"'c4n'\" with datatype JSON"),
        'No literal value renderer is available for literal value "…" with datatype JSON',
    ),
    "Python, no number": (
        ValueError("invalid literal for int() with base 10: 'c4n'"),
        'ValueError: invalid literal for int() with base 10: "…"',
    ),
    "the user's own words": (
        RuntimeError("it isn't that 'users' is empty"),
        "RuntimeError: it isn't that 'users' is empty",
    ),
}


@pytest.mark.parametrize(("error", "told"), TOLD.values(), ids=TOLD)
def test_what_is_told_of_an_exception(error, told):
    assert describe(error) == told
    assert "c4n" not in told


def raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


WHOLE = wrapped(
    'duplicate key violates "k"\nDETAIL:  Key (email)=(c4nary) exists.', "23505", params={"a": "c4nary"}
)


@pytest.mark.parametrize(
    "text", [str(WHOLE), repr(WHOLE), repr(repr(WHOLE)), str(WHOLE).replace("\n", " "), "user c4nary has it"]
)
def test_a_database_s_message_in_an_exception_of_the_user_s_loses_its_data(text):
    error = raised(RuntimeError(f"import failed: {text}"), cause=WHOLE)
    assert "c4n" not in describe(error)
    assert "import failed: " in describe(error) or "user …" in describe(error)


def test_an_exception_that_was_being_handled_is_known_too():
    error = RuntimeError("c4nary is there twice")
    error.__context__ = WHOLE
    assert describe(error) == "RuntimeError: … is there twice"


def test_sqlite_tells_names_and_no_values():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a TEXT UNIQUE)")
        connection.exec_driver_sql("INSERT INTO t VALUES ('c4nary')")
        failing = (
            ("INSERT INTO t VALUES ('c4nary')", "UNIQUE constraint failed: t.a"),
            ("SELECT 'c4nary", 'unrecognized token: "…"'),
            ("SELCT 'c4nary'", 'near "SELCT": syntax error'),
            ("SELECT * FROM t 'c4nary' 'c4n'", 'near "…": syntax error'),
        )
        for statement, told in failing:
            with pytest.raises(sa.exc.DBAPIError) as failed:
                connection.exec_driver_sql(statement)
            assert describe(failed.value) == told
    assert sqlite3.sqlite_version


def test_a_traceback_has_the_code_without_its_texts(capsys):
    def upgrade():
        execute = str
        execute("INSERT INTO t VALUES ('c4nary')", "c4nary's", errors=1 / 0)

    try:
        upgrade()
    except ZeroDivisionError as error:
        print_frames(error.__traceback__)
    told = capsys.readouterr().err
    assert 'execute("…", "…", errors=1 / 0)' in told
    assert f'File "{__file__}", line ' in told
    assert "c4n" not in told
    assert sys.exc_info() == (None, None, None)
