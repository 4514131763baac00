"""What others write while a backfill goes on, and where it may lie then: no row that was there is left out."""

from __future__ import annotations

import pytest

from headway import backfill
from headway.backfills.known import NotPossible
from support.revisions import Told, run

ROWS = 20_000
TABLE = f"""
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, email_lc text, seen int NOT NULL DEFAULT 0)
        WITH (autovacuum_enabled = off);
    INSERT INTO users SELECT i, 'User' || i || '@X' FROM generate_series(1, {ROWS}) i;
    CREATE FUNCTION lowered(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT lower($1)';
    ANALYZE users
"""
STABLE, READS = {"email_lc": "lowered(email)"}, {"email": "lower(email)"}


class Meanwhile(Told):
    """Others write once, as soon as the first rows are done."""

    def __init__(self, database, statement):
        super().__init__()
        self.database, self.statement = database, statement

    def wishes(self):
        done = "SELECT coalesce(max(rows_done), 0) FROM headway_backfill"
        if self.statement and self.database.scalar(done) > 0:
            statement, self.statement = self.statement, ""
            self.database.execute(statement)
        return {}


@pytest.fixture
def users(database):
    database.execute(TABLE)
    return database


@pytest.mark.parametrize("set_", [STABLE, READS], ids=str)
def test_rows_that_writers_move_out_of_blocks_ahead_are_updated_where_twice_does_no_harm(users, set_):
    link = Meanwhile(users, f"UPDATE users SET seen = 1 WHERE id > {ROWS // 2}")
    run(users.url(), lambda: backfill("users", set_, exactly_once=False, batch_rows=200), link)
    assert users.scalar("SELECT count(*) FROM users WHERE seen = 1") == ROWS // 2
    ((column, expression),) = set_.items()
    assert users.scalar(f"SELECT count(*) FROM users WHERE {column} IS DISTINCT FROM {expression}") == 0
    assert users.rows("SELECT is_complete FROM headway_backfill") == [(True,)]


def test_blocks_that_are_asked_for_are_refused_where_they_may_miss_a_row(users):
    with pytest.raises(NotPossible, match=r"may miss rows of users: .* Leave the strategy away"):
        run(users.url(), lambda: backfill("users", READS, exactly_once=False, strategy="striped"))
    assert users.scalar("SELECT count(*) FROM users WHERE email = lower(email)") == 0
