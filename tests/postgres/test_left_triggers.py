"""What the lint says of a change under a trigger of the library is what PostgreSQL does then."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

import headway
from headway_contract.facts import DatabaseFacts, RevisionFacts, Statement
from headway_operator.lint.lint import findings
from headway_runner.facts.tables import all_tables
from support.revisions import run

RULE = "column_is_read_by_a_trigger_of_the_library"
REFUSED, FAILS, NOTHING = "PostgreSQL refuses it", "next INSERT or UPDATE fails", ""
DROP, RENAME = "ALTER TABLE books DROP COLUMN {}", "ALTER TABLE books RENAME COLUMN {} TO other"
RETYPE, CASCADE = "ALTER TABLE books ALTER COLUMN {} TYPE numeric", DROP + " CASCADE"
TABLE = "CREATE TABLE books (id int PRIMARY KEY, pages int, note text); INSERT INTO books VALUES (1, 1, 'x')"


def fill():
    headway.add_column_with_backfill("books", sa.Column("shelf", sa.Numeric), "pages / 10")


def rename():
    headway.rename_column_expand("books", "pages", "sheets")


def retype():
    headway.change_type_expand("books", "pages", sa.BigInteger())


def what_the_lint_says(database, change):
    engine = sa.create_engine(database.url())
    with engine.connect() as connection:
        tables = all_tables(connection)
    engine.dispose()
    revision = RevisionFacts("r1", statements=(Statement(change, 3),))
    facts = DatabaseFacts("postgresql", revisions=(revision,), tables=tables, tables_known=True)
    said = [one.why for one in findings(facts) if one.rule == RULE]
    return said[0] if said else ""


def what_postgresql_does(database, change):
    with psycopg.connect(database.address, autocommit=True) as connection:
        try:
            connection.execute(change)
        except psycopg.errors.DatabaseError:
            return REFUSED
        names = [one.name for one in connection.execute("SELECT * FROM books").description]
        ways = [f"UPDATE books SET {name} = 5" for name in names if name not in ("id", "note")]
        ways += [f"INSERT INTO books (id, {name}) VALUES (7, 5)" for name in names if name != "id"]
        for way in ways:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(way)
            except psycopg.errors.UndefinedColumn:
                return FAILS
    return NOTHING


@pytest.mark.parametrize(
    ("leave", "column", "changes"),
    [
        (fill, "pages", {DROP: FAILS, CASCADE: FAILS, RENAME: FAILS}),
        (fill, "shelf", {DROP: REFUSED, CASCADE: NOTHING, RENAME: FAILS, RETYPE: REFUSED}),
        (fill, "note", {DROP: NOTHING, RENAME: NOTHING}),
        *(
            (leave, column, {DROP: REFUSED, CASCADE: NOTHING, RENAME: FAILS, RETYPE: REFUSED})
            for leave, column in (
                (rename, "pages"),
                (rename, "sheets"),
                (retype, "pages"),
                (retype, "pages__new"),
            )
        ),
    ],
)
def test_a_change_is_refused_breaks_writes_or_does_no_harm(make_database, leave, column, changes):
    for change, outcome in changes.items():
        database = make_database()
        database.execute(TABLE)
        run(database.url(), leave)
        sql = change.format(column)
        said = what_the_lint_says(database, sql)
        assert outcome in said if outcome else said == "", (sql, said)
        assert what_postgresql_does(database, sql) == outcome, sql
