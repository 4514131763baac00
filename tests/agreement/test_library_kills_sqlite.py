"""A backfill on SQLite that is killed with SIGKILL goes on, and changes each row exactly once."""

from __future__ import annotations

import sqlite3

import pytest

from support.kills.anywhere import CHECKPOINT, DONE, KINDS, NUMBERS, ROWS, TABLE, WRONG, Killed
from support.kills.victim import Moment


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute(TABLE)
    connection.executemany("INSERT INTO items (id) VALUES (?)", [(7 * i,) for i in range(ROWS)])
    connection.commit()
    connection.close()
    return path


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_moment_it_goes_on_and_changes_each_row_exactly_once(tmp_path, shop, kind):
    killed = Killed(tmp_path, f"sqlite:///{shop}")
    killed.kill_at(Moment(kind, number) for number in NUMBERS)
    ((done,),), ((rows_done, is_complete),) = rows(shop, DONE), rows(shop, CHECKPOINT)
    assert rows_done == done > 0
    assert is_complete <= (done == ROWS)
    killed.end()
    assert rows(shop, WRONG) == [(0,)]
    assert rows(shop, CHECKPOINT) == [(ROWS, 1)]
