"""Exceptions become classes and sentences: the right name, and nothing secret in the text."""

from __future__ import annotations

import socket

import psycopg
import pytest
import sqlalchemy.exc
from alembic.script.revision import MultipleHeads, RangeNotAncestorError, ResolutionError
from alembic.util import CommandError
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.failures import FAILURES
from headway_runner.words.failures import RULES, failure_of
from headway_runner.words.secrecy import learn, mask
from headway_runner.words.wording import describe


class OperationalError(Exception):
    """As drivers name it."""

    def __init__(self, text, sqlstate=None):
        super().__init__(text)
        self.sqlstate = sqlstate


def wrapped(text, sqlstate=None):
    return sqlalchemy.exc.OperationalError("SELECT :a", {"a": "pAram"}, OperationalError(text, sqlstate))


def of_mysql(code, text):
    """As its drivers raise it: number and text, and no SQLSTATE."""
    error = OperationalError(text)
    error.args = (code, text)
    return sqlalchemy.exc.OperationalError("SELECT 1", {}, error)


def caused(cause, text="as Alembic says it"):
    error = CommandError(text)
    error.__cause__ = cause
    return error


CASES = [
    (wrapped("canceling statement due to lock timeout", "55P03"), "r1", "LockTimeout"),
    (wrapped("deadlock detected", "40P01"), "r1", "LockTimeout"),
    (of_mysql(1205, "Lock wait timeout exceeded"), "r1", "LockTimeout"),
    (of_mysql(1213, "Deadlock found when trying to get lock"), "r1", "LockTimeout"),
    (of_mysql(3572, "Statement aborted because lock(s) could not be acquired"), "r1", "LockTimeout"),
    (of_mysql(1062, "Duplicate entry 'a' for key 'b'"), "r1", "RevisionFailed"),
    (wrapped('FATAL:  password authentication failed for user "x"'), "", "AuthenticationFailed"),
    (wrapped('FATAL:  role "x" does not exist'), "", "AuthenticationFailed"),
    (wrapped('role "x" does not exist', "42704"), "r1", "RevisionFailed"),
    (wrapped('FATAL:  database "x" does not exist'), "", "DatabaseDoesNotExist"),
    (wrapped("connection refused: could not connect"), "", "DatabaseUnreachable"),
    (wrapped("the database system is starting up", "57P03"), "", "DatabaseUnreachable"),
    (wrapped("sorry, too many clients already", "53300"), "", "DatabaseUnreachable"),
    (wrapped("cannot execute CREATE in a read-only transaction", "25006"), "", "DatabaseUnreachable"),
    (socket.gaierror(-2, "Name or service not known"), "", "DatabaseUnreachable"),
    (ConnectionRefusedError(111, "refused"), "", "DatabaseUnreachable"),
    (wrapped("server closed the connection unexpectedly"), "r1", "ConnectionLost"),
    (wrapped("terminating connection due to administrator command", "57P01"), "r1", "ConnectionLost"),
    (ConnectionRefusedError(111, "the revision's own HTTP call"), "r1", "RevisionFailed"),
    (wrapped('prepared statement "__asyncpg_stmt_1__" already exists', "42P05"), "", "PoolerDetected"),
    (wrapped('prepared statement "_pg3_0" does not exist', "26000"), "", "PoolerDetected"),
    (wrapped('prepared statement "mine" already exists', "42P05"), "", "ProjectFailed"),
    (wrapped("permission denied for table x", "42501"), "r1", "PermissionDenied"),
    (wrapped("syntax error", "42601"), "r1", "RevisionFailed"),
    (ValueError("in the revision"), "r1", "RevisionFailed"),
    (caused(MultipleHeads(("b", "a"), "head")), "", "MultipleHeads"),
    (caused(ResolutionError("no", "x")), "", "UnknownTarget"),
    (caused(RangeNotAncestorError("a", "b")), "", "InvalidTarget"),
    (CommandError("Relative revision +5 didn't produce 5 migrations"), "", "InvalidTarget"),
    (CommandError("No 'script_location' key found in configuration"), "", "ProjectNotFound"),
    (sqlalchemy.exc.NoSuchModuleError("Can't load plugin: sqlalchemy.dialects:nope"), "", "DriverMissing"),
    (ModuleNotFoundError("No module named 'psycopg2'", name="psycopg2"), "", "DriverMissing"),
    (ModuleNotFoundError("No module named 'shop'", name="shop"), "", "ProjectFailed"),
    (FileNotFoundError(2, "No such file"), "", "ProjectFailed"),
]


@pytest.mark.parametrize(
    ("error", "revision", "name"), CASES, ids=[f"{case[2]}-{i}" for i, case in enumerate(CASES)]
)
def test_an_exception_gets_its_class(error, revision, name):
    failure = failure_of(error, revision)
    assert failure.name == name
    assert failure.revision == revision
    assert "pAram" not in failure.message


def test_the_order_of_the_rules_is_pinned():
    assert [name for _, name in RULES] == [
        "DriverMissing", "InvalidUrl", "PoolerDetected", "LockTimeout", "AuthenticationFailed",
        "DatabaseDoesNotExist", "PermissionDenied", "ConnectionLost", "DatabaseUnreachable",
        "RevisionFailed", "MultipleHeads", "InvalidTarget", "UnknownTarget", "InvalidHistory", "ProjectNotFound",
        "ProjectFailed",
    ]  # fmt: skip


def test_every_rule_names_a_class_of_the_contract():
    assert {name for _, name in RULES} <= {one.name for one in FAILURES}


def test_what_breaks_while_revisions_are_read_is_the_history():
    assert failure_of(SyntaxError("bad"), loading=True).name == "InvalidHistory"


def test_heads_are_listed():
    assert failure_of(caused(MultipleHeads(("b", "a"), "head"))).message == "The heads are a, b."


def test_lines_that_quote_the_statement_or_data_are_left_out():
    text = (
        'duplicate key value violates unique constraint "k"\n'
        "LINE 1: INSERT INTO t VALUES ('s3cret')\n              ^\n"
        "DETAIL:  Key (email)=(eve@example.com) already exists.\nmore data\nHINT:  Use another."
    )
    assert (
        describe(wrapped(text)) == 'duplicate key value violates unique constraint "k". HINT:  Use another.'
    )


@pytest.mark.parametrize(
    "text",
    [
        "could not connect to postgresql://shop:s3cret@db/shop",
        "dsn: host=db password=s3cret user=shop",
        "dsn: password = 's3cret' host=db",
        '{"password": "s3cret"}',
    ],
)
def test_credentials_are_masked(text):
    assert "s3cret" not in mask(text)


@given(st.text("abc:/@ '\"=\n", max_size=60))
def test_masking_never_fails(text):
    assert isinstance(mask(text), str)


def test_a_password_that_is_known_is_shown_in_no_form():
    learn("Hunter2%x", None, "abc")
    text = mask("password is Hunter2%x, in a URL Hunter2%25x; abc stays readable")
    assert text == "password is ***, in a URL ***; abc stays readable"


def test_a_failed_revision_is_named():
    error = ValueError("no such column")
    assert failure_of(error, "a6").message == "Revision a6 failed: ValueError: no such column"
    told = failure_of(error, "a6", title="add a status\n  to users").message
    assert told == "Revision a6 (add a status to users) failed: ValueError: no such column"


def test_an_option_that_the_driver_does_not_know_is_the_url_s_fault():
    assert failure_of(psycopg.ProgrammingError('invalid connection option "bogus"')).name == "InvalidUrl"
