"""The rows of the matrix: what is written is what is worked out, and it leaves no possible pair out."""

from __future__ import annotations

from dataclasses import replace

from support.matrix.dimensions import ALEMBICS, IMPOSSIBLE, PYTHONS, SERVERS, SQLALCHEMYS, possible_rows
from support.matrix.pairs import FILE, covering, first, text, written


def test_the_file_holds_the_rows_that_are_worked_out():
    rows = covering(possible_rows())
    assert FILE.read_text() == text(rows), "PYTHONPATH=tests python -m support.matrix.pairs"
    assert written() == rows


def test_every_possible_pair_is_in_a_row_and_no_row_is_impossible():
    possible = set().union(*(row.pairs() for row in possible_rows()))
    assert set().union(*(row.pairs() for row in written())) == possible
    assert not any(forbids(row) for row in written() for forbids in IMPOSSIBLE)


def test_each_rule_forbids_something_that_the_others_allow():
    allowed = list(possible_rows())
    for forbids in IMPOSSIBLE:
        neighbours = (replace(row, **{name: value}) for row in allowed[::7] for name, value in CHANGES)
        only = (row for row in neighbours if [rule for rule in IMPOSSIBLE if rule(row)] == [forbids])
        assert next(only, None), forbids.__name__


def test_the_few_rows_of_an_ordinary_run_show_each_python_alembic_and_sqlalchemy():
    few = first(written())
    assert len(few) <= 8
    assert {row.python for row in few} == set(PYTHONS)
    assert {row.alembic for row in few} == set(ALEMBICS)
    assert {row.sqlalchemy for row in few} == set(SQLALCHEMYS)


CHANGES = [
    *(("python", value) for value in PYTHONS),
    *(("alembic", value) for value in ALEMBICS),
    *(("sqlalchemy", value) for value in SQLALCHEMYS),
    *(("server", value) for value in SERVERS),
    ("driver", "psycopg"),
]
