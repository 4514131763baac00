"""Loops that a revision writes by hand, recognised by their statements."""

from __future__ import annotations

import pytest

from headway_runner.statements.loops import PATIENCE_SECONDS, TIMES, Loops

GUIDE = """
            UPDATE users
            SET status = CASE WHEN is_active THEN 'active' ELSE 'inactive' END
            WHERE id = ANY(%(ids)s)
"""


def fed(*statements, rows=1000, seconds=1.0):
    """What is told of these statements, one each `seconds`."""
    loops = Loops()
    told = [loops.executed(statement, rows, number * seconds) for number, statement in enumerate(statements)]
    return [(one.operation, one.rows) if one else None for one in told]


def test_the_same_update_again_and_again_is_a_loop_with_its_rows_added_up():
    told = fed(*[GUIDE] * 5)
    assert told == [None, None, ("UPDATE users", 5000), ("UPDATE users", 5000), ("UPDATE users", 5000)]


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ("UPDATE users SET a = 1 WHERE id > {} AND id <= {}", "UPDATE users"),
        ('update only "shop"."users" set a = {}', "UPDATE shop.users"),
        ("UPDATE `users` SET a = {} LIMIT 10", "UPDATE users"),
        ("DELETE FROM shop . audit WHERE id < {}", "DELETE shop.audit"),
        ("WITH b AS (SELECT id FROM users LIMIT {}) UPDATE users SET a = 1 FROM b", "UPDATE users"),
        ("INSERT INTO archive SELECT * FROM users WHERE id BETWEEN {} AND {}", "INSERT archive"),
    ],
)
def test_numbers_within_the_statement_and_its_writing_do_not_matter(statement, operation):
    told = fed(*[statement.format(number, number + 1) for number in range(TIMES)])
    assert told[-1] == (operation, TIMES * 1000)


def test_different_statements_and_few_of_them_are_no_loop():
    assert fed(*["UPDATE users SET a = 1"] * (TIMES - 1)) == [None] * (TIMES - 1)
    assert fed(*[f"UPDATE {table} SET a = 1" for table in "abcdef"]) == [None] * 6
    assert fed(*["SELECT 1 FROM users"] * 9, *["ALTER TABLE a ADD b int"] * 9) == [None] * 18


def test_what_is_over_at_once_is_not_told_and_what_lasts_no_more_than_once_in_a_second():
    assert fed(*[GUIDE] * 9, seconds=PATIENCE_SECONDS / 10) == [None] * 9
    told = fed(*[GUIDE] * 41, seconds=PATIENCE_SECONDS / 10)
    assert sum(one is not None for one in told) == 4


def test_the_rate_is_that_since_it_was_told_last():
    loops = Loops()
    for second in range(5):
        loops.executed(GUIDE, 100, second)
    loop = loops.executed(GUIDE, 700, 6)
    assert (loop.rows, loop.rows_per_second) == (1200, 350.0)


def test_rows_that_the_driver_does_not_count_are_not_told():
    assert fed(*[GUIDE] * 5, rows=-1) == [None] * 5


def test_a_revision_that_ends_ends_its_loops():
    loops = Loops()
    for second in range(TIMES - 1):
        loops.executed(GUIDE, 1, second)
    loops.clear()
    assert loops.executed(GUIDE, 1, TIMES) is None
