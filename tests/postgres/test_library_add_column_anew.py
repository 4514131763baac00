"""A column is filled with another value than in an earlier run: what holds the earlier one follows, nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headway import add_column_with_backfill, drop_column_with_backfill
from headway.backfills.worker import BackfillIncomplete
from support.catalog import catalog
from support.cuts import statements_cut
from support.revisions import Told, run

CHECKPOINT = "headway_backfill"
BACKFILL = "headway_backfill|^UPDATE|^ANALYZE|TEMP|pg_temp"
TABLE = "CREATE TABLE users (id int PRIMARY KEY, email text)"
ROWS = "INSERT INTO users SELECT i, 'U' || i FROM generate_series(1, 300) i"
OLD, NEW = "lower(email)", "coalesce(lower(email) || '!', 'none')"


def add(database, value, link=None, type_=sa.Text, **named):
    column = sa.Column("email_lc", type_)
    run(database.url(), lambda: add_column_with_backfill("users", column, value, **named), link)


@pytest.fixture
def users(database):
    database.execute(f"{TABLE}; {ROWS}")
    return database


def differing(database, value):
    return database.rows(f"SELECT id FROM users WHERE email_lc IS DISTINCT FROM {value} ORDER BY id")


def test_rows_and_trigger_have_the_new_value_and_a_person_is_told(users, make_database):
    add(users, OLD)
    users.execute("UPDATE users SET email = NULL WHERE id = 8")
    link = Told()
    add(users, NEW, link)
    assert differing(users, NEW) == []
    users.execute(
        "INSERT INTO users (id, email) VALUES (1000, 'EVE'); UPDATE users SET email = 'A' WHERE id = 9"
    )
    assert differing(users, NEW) == []
    assert any("another value than in an earlier run" in one for one in link.notices())
    fresh = make_database()
    fresh.execute(f"{TABLE}; {ROWS}")
    add(fresh, NEW)
    assert catalog(users) == catalog(fresh)


def test_what_the_application_has_written_itself_stays(users):
    add(users, OLD)
    users.execute("UPDATE users SET email_lc = 'own' WHERE id = 7")
    add(users, NEW)
    assert differing(users, NEW) == [(7,)]


def test_a_row_that_is_written_while_it_waits_for_the_new_value_has_it(users):
    add(users, OLD)
    link = Told()

    def on_report(kind, facts):
        if kind == "BackfillStarted":
            users.execute("UPDATE users SET email = 'MEANWHILE' WHERE id > 100")

    link.on_report = on_report
    add(users, NEW, link)
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc = 'meanwhile!'") == 200
    assert differing(users, NEW) == []


def test_values_may_change_again_and_go_back_while_none_is_complete(users):
    add(users, OLD)
    users.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE check_violation; END';"
        "CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id > 290) EXECUTE FUNCTION refuse()"
    )
    for value in (NEW, "email || '?'"):
        with pytest.raises(BackfillIncomplete):
            add(users, value)
        assert differing(users, value) == [(number,) for number in range(291, 301)]
    users.execute("DROP TRIGGER refuse ON users")
    add(users, OLD)
    assert differing(users, OLD) == []
    add(users, "email || '?'")
    assert differing(users, "email || '?'") == []


def test_a_value_whose_type_has_no_equality_and_one_that_is_another_each_time(users):
    add(users, "json_build_object('old', email)", type_=sa.JSON)
    add(users, "json_build_object('new', email)", type_=sa.JSON)
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc ->> 'new' = email") == 300
    run(users.url(), lambda: drop_column_with_backfill("users", "email_lc"))
    add(users, OLD)
    add(users, "gen_random_uuid()::text")
    assert users.scalar("SELECT count(DISTINCT email_lc) FROM users WHERE length(email_lc) = 36") == 300


def test_a_session_cut_at_any_statement_leaves_a_rerun_the_same_end(users):
    def prepare(database):
        database.execute(f"{TABLE}; {ROWS}")
        add(database, OLD)

    def check(database):
        assert catalog(database, CHECKPOINT) == end
        assert differing(database, NEW) == []

    add(users, NEW)
    end = catalog(users, CHECKPOINT)
    cuts = statements_cut(users, prepare, lambda database: add(database, NEW), check, BACKFILL)
    assert sum(one.startswith("CREATE OR REPLACE FUNCTION") for one in cuts) >= 2
