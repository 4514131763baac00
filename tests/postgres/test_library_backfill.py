"""Backfills on a real server: what is chosen, that every row is filled, and that an interrupted one goes on."""

from __future__ import annotations

import pytest
from alembic import op

from headway import backfill
from headway.backfills.known import NoSuchColumn, NoSuchTable, NotPossible
from headway.backfills.worker import BackfillIncomplete, NotCleared
from support.revisions import StoppedByTest, Told, run

ROWS = 6000
TABLE = f"""
    CREATE TABLE users (
        id bigint PRIMARY KEY, email text NOT NULL, n int NOT NULL DEFAULT 0, email_lc text, pad text
    );
    INSERT INTO users (id, email, pad)
    SELECT i * 3, 'User' || i || '@X', repeat('x', 80) FROM generate_series(1, {ROWS}) i;
    ANALYZE users
"""
LOWER = {"email_lc": "lower(email)"}


@pytest.fixture
def users(database):
    database.execute(TABLE)
    return database


def fill(database, *arguments, link=None, **named):
    told = link or Told()
    found = []
    run(database.url(), lambda: found.append(backfill(*arguments, **named)), told)
    return found[0], told


def started(told):
    return next(facts for kind, facts in told.facts if kind == "BackfillStarted")


def wrong(database):
    return database.scalar("SELECT count(*) FROM users WHERE email_lc IS DISTINCT FROM lower(email)")


def stop_after(database, rows):
    """A link that wishes a stop once so many rows are done."""
    told = Told()
    told.wishes = lambda: {
        "stop": database.scalar("SELECT rows_done FROM headway_backfill") >= rows,
        "stop_reason": "enough",
    }
    return told


@pytest.mark.parametrize(
    ("named", "strategy"),
    [
        ({"where": "email_lc IS NULL"}, "striped"),
        ({}, "striped"),
        ({"where": "email_lc IS NULL", "strategy": "keyset"}, "keyset"),
        ({"exactly_once": True}, "keyset"),
        ({"key": ("id",), "strategy": "keyset"}, "keyset"),
    ],
    ids=str,
)
def test_every_row_is_filled(users, named, strategy):
    record, told = fill(users, "users", LOWER, **named)
    assert wrong(users) == 0
    assert started(told)["strategy"] == strategy
    assert record.rows == ROWS
    assert users.rows("SELECT rows_done, is_complete FROM headway_backfill") == [(ROWS, True)]


@pytest.mark.parametrize("is_partitioned", [False, True], ids=["table", "partitioned"])
def test_the_columns_have_statistics_at_the_end_also_those_that_are_generated_from_them(
    database, is_partitioned
):
    columns = 'id int, "E-mail: a" text, size int GENERATED ALWAYS AS (length("E-mail: a")) STORED'
    no_other = "WITH (autovacuum_enabled = off)"
    partitioned = f"PARTITION BY RANGE (id); CREATE TABLE u PARTITION OF users DEFAULT {no_other}"
    database.execute(f"CREATE TABLE users ({columns}) {partitioned if is_partitioned else no_other}")
    database.execute("INSERT INTO users SELECT generate_series(1, 100)")
    fill(database, "users", {"E-mail: a": "'x' || id % 3"}, '"E-mail: a" IS NULL', analyze=False)
    known = "SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'users' ORDER BY 1"
    assert database.rows(known) == []
    fill(database, "users", {"E-mail: a": "'y' || id % 5"}, "\"E-mail: a\" LIKE 'x%'")
    assert database.rows(known) == [("E-mail: a", 5), ("size", 1)]


def test_the_revisions_own_transaction_is_committed_before(users):
    def upgrade():
        from alembic import op

        op.execute("ALTER TABLE users ADD COLUMN later text")
        backfill("users", {"later": "email"})

    run(users.url(), upgrade)
    assert users.scalar("SELECT count(*) FROM users WHERE later = email") == ROWS


def test_an_expression_that_reads_what_it_sets_is_applied_exactly_once(users):
    record, told = fill(users, "users", {"n": "n + 1"})
    assert started(told)["strategy"] == "keyset"
    assert "the expression reads n" in started(told)["reason"]
    assert users.rows("SELECT DISTINCT n FROM users") == [(1,)]
    assert record.rows == ROWS


def test_a_done_predicate_allows_blocks_for_an_expression_that_reads_what_it_sets(users):
    _, told = fill(users, "users", {**LOWER, "n": "n + 1"}, "email_lc IS NULL")
    assert started(told)["strategy"] == "striped"
    assert users.rows("SELECT DISTINCT n FROM users") == [(1,)]
    assert wrong(users) == 0


def test_a_condition_that_does_not_clear_for_some_rows_is_noticed_before_anything_happens_twice(users):
    users.execute("UPDATE users SET email = '' WHERE id = 9000; ANALYZE users")
    set_ = {"email_lc": "nullif(lower(email), '')", "n": "n + 1"}
    with pytest.raises(NotCleared, match="would apply it twice"):
        fill(users, "users", set_, "email_lc IS NULL")
    assert users.scalar("SELECT max(n) FROM users") == 1
    assert users.scalar("SELECT n FROM users WHERE id = 9000") == 0


@pytest.mark.parametrize("named", [{}, {"strategy": "keyset"}], ids=str)
def test_rows_whose_expression_is_null_are_told_and_end_it(users, named):
    users.execute("UPDATE users SET email = 'none' WHERE id <= 300")
    _, told = fill(users, "users", {"email_lc": "nullif(email, 'none')"}, "email_lc IS NULL", **named)
    assert any(
        "100 rows of users still meet the condition" in one and "NULL" in one for one in told.notices()
    )
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc IS NULL") == 100


@pytest.mark.parametrize("named", [{"where": "email_lc IS NULL"}, {"strategy": "keyset"}], ids=str)
def test_a_backfill_that_was_stopped_goes_on_where_it_was(users, named):
    with pytest.raises(StoppedByTest, match="enough"):
        fill(users, "users", {**LOWER}, batch_rows=100, link=stop_after(users, 100), **named)
    ((done, complete),) = users.rows("SELECT rows_done, is_complete FROM headway_backfill")
    assert 0 < done < ROWS
    assert not complete
    record, told = fill(users, "users", {**LOWER}, **named)
    assert started(told)["rows_done"] == done
    assert record.rows == ROWS
    assert wrong(users) == 0


def test_an_expression_that_reads_what_it_sets_is_applied_once_over_a_stop(users):
    with pytest.raises(StoppedByTest):
        fill(users, "users", {"n": "n + 1"}, batch_rows=100, link=stop_after(users, 100))
    assert users.scalar("SELECT count(*) FROM users WHERE n = 0") > 0
    fill(users, "users", {"n": "n + 1"})
    assert users.rows("SELECT DISTINCT n FROM users") == [(1,)]


def test_a_backfill_that_is_complete_is_not_done_again(users):
    fill(users, "users", {"n": "n + 1"})
    record, _ = fill(users, "users", {"n": "n + 1"})
    assert users.rows("SELECT DISTINCT n FROM users") == [(1,)]
    assert record.rows == ROWS


def test_a_column_that_was_dropped_and_added_again_is_filled_again(users):
    fill(users, "users", LOWER)
    users.execute("ALTER TABLE users DROP COLUMN email_lc; ALTER TABLE users ADD COLUMN email_lc text")
    fill(users, "users", LOWER)
    assert wrong(users) == 0


def test_rows_that_came_after_the_end_are_filled_by_another_upgrade(users):
    fill(users, "users", LOWER, "email_lc IS NULL")
    users.execute("UPDATE users SET email_lc = NULL WHERE id < 500")
    fill(users, "users", LOWER, "email_lc IS NULL")
    assert wrong(users) == 0


@pytest.mark.parametrize(
    "named", [{"where": "email_lc IS NULL"}, {"strategy": "keyset"}, {"exactly_once": True}], ids=str
)
def test_a_row_with_bad_data_is_told_by_its_key_and_the_others_are_filled(users, named):
    users.execute("ALTER TABLE users ADD CONSTRAINT short CHECK (email_lc <> 'user77@x')")
    with pytest.raises(BackfillIncomplete) as caught:
        fill(users, "users", LOWER, **named)
    assert "(231) 23514" in str(caught.value)
    assert "user77" not in str(caught.value).lower()
    assert users.rows("SELECT id FROM users WHERE email_lc IS NULL") == [(231,)]
    users.execute("ALTER TABLE users DROP CONSTRAINT short")
    fill(users, "users", LOWER, **named)
    assert wrong(users) == 0


@pytest.mark.parametrize("strategy", ["auto", "keyset"])
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_comment_at_the_end_of_a_text_hides_nothing_that_comes_after_it(users, driver, strategy):
    """Drivers that put values into the text themselves would update every row without a word."""
    set_ = {"email_lc": "lower(email) -- as the new form writes it", "n": "7 /* seven */"}
    named = {"where": "id <= 300 AND email_lc IS NULL -- the first hundred", "strategy": strategy}
    run(users.url(driver), lambda: backfill("users", set_, **named), Told())
    assert users.rows("SELECT n, count(*), count(email_lc) FROM users GROUP BY n ORDER BY n") == [
        (0, ROWS - 100, 0),
        (7, 100, 100),
    ]


def test_an_expression_with_a_comment_is_known_as_well_as_one_without(users):
    _, told = fill(users, "users", {"email_lc": "lower(email) -- as the new form writes it"})
    assert started(told)["strategy"] == "striped"


@pytest.mark.parametrize("named", [{"where": "email_lc IS NULL"}, {"strategy": "keyset"}], ids=str)
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("RAISE EXCEPTION 'no such address: %', NEW.email", "P0001"),
        ("NEW.pad := (SELECT 'x' FROM generate_series(1, 2))", "21000"),
        ("RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'index row too large: ' || NEW.email", "54000"),
    ],
    ids=["a trigger's rule", "a subquery of two rows", "too large for an index"],
)
def test_a_row_that_a_trigger_refuses_is_told_by_its_key_and_the_others_are_filled(users, named, rule, code):
    users.execute(
        "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.id = 231 THEN {rule}; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER refuses BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuses()"
    )
    with pytest.raises(BackfillIncomplete) as caught:
        fill(users, "users", LOWER, **named)
    assert f"(231) {code}" in str(caught.value)
    assert "user77" not in str(caught.value).lower()
    assert users.rows("SELECT id FROM users WHERE email_lc IS NULL") == [(231,)]


@pytest.fixture
def owned(users):
    """By a role that obeys policies when they are forced upon it."""
    users.execute(
        "CREATE ROLE shop_owner; GRANT ALL ON SCHEMA public TO shop_owner; ALTER TABLE users OWNER TO shop_owner;"
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY small ON users USING (id <= 300)"
    )
    yield users
    users.execute(
        "REASSIGN OWNED BY shop_owner TO CURRENT_USER; DROP OWNED BY shop_owner; DROP ROLE shop_owner"
    )


def fill_as_owner():
    op.execute("SET ROLE shop_owner")
    backfill("users", LOWER, batch_rows=500)


def test_a_table_of_which_policies_hide_rows_is_refused_before_anything_is_changed(owned):
    owned.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY")
    with pytest.raises(NotPossible, match=r"Row level security hides rows of users .* BYPASSRLS"):
        run(owned.url(), fill_as_owner, Told())
    assert owned.scalar("SELECT count(email_lc) FROM users") == 0
    owned.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")
    run(owned.url(), fill_as_owner, Told())
    assert wrong(owned) == 0


def test_an_expression_may_read_a_table_whose_policies_hold_for_the_role(owned):
    owned.execute(
        "CREATE TABLE names (id bigint, name text); INSERT INTO names VALUES (1, 'seen'), (2, 'hidden');"
        "ALTER TABLE names ENABLE ROW LEVEL SECURITY; GRANT SELECT ON names TO shop_owner;"
        "CREATE POLICY first_only ON names USING (id = 1)"
    )

    def revision():
        op.execute("SET ROLE shop_owner")
        backfill("users", {"email_lc": "(SELECT min(name) FROM names)"}, "email_lc IS NULL")

    run(owned.url(), revision, Told())
    assert owned.rows("SELECT DISTINCT email_lc FROM users") == [("seen",)]


@pytest.mark.parametrize(
    ("set_", "named", "words"),
    [
        (LOWER, {"pace": "Fats"}, "pace='Fats' is none of Gentle, Balanced, Fast"),
        ("email_lc = lower(email)", {}, "set_ is a str: give a mapping"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_is_written(users, set_, named, words):
    with pytest.raises(ValueError, match=words):
        fill(users, "users", set_, **named)
    assert users.scalar("SELECT to_regclass('headway_backfill') IS NULL")


def test_a_pace_may_be_given_by_its_name(users):
    fill(users, "users", LOWER, pace="Gentle")
    assert wrong(users) == 0


@pytest.mark.parametrize("strategy", ["auto", "keyset"])
@pytest.mark.parametrize("where", [None, "price::int IS NOT NULL", "n IS NULL"])
def test_a_row_that_the_condition_itself_cannot_read_is_told_by_its_key(database, where, strategy):
    """With no condition at all, the expression compared with the column is one."""
    database.execute(
        "CREATE TABLE items (id bigint PRIMARY KEY, price text NOT NULL, n int);"
        "INSERT INTO items SELECT i, CASE i WHEN 700 THEN 'x' ELSE i::text END FROM generate_series(1, 1000) i"
    )
    arguments = ("items", {"n": "price::int"}, where)
    with pytest.raises(BackfillIncomplete, match=r"\(700\) 22P02"):
        fill(database, *arguments, strategy=strategy, batch_rows=100)
    assert database.rows("SELECT id FROM items WHERE n IS NULL") == [(700,)]
    with pytest.raises(BackfillIncomplete, match=r"\(700\) 22P02"):
        fill(database, *arguments, strategy=strategy, batch_rows=100)
    database.execute("UPDATE items SET price = '7' WHERE id = 700")
    fill(database, *arguments, strategy=strategy, batch_rows=100)
    assert database.scalar("SELECT count(*) FROM items WHERE n = price::int") == 1000


def test_a_row_with_bad_data_is_told_along_blocks_that_only_a_trigger_keeps_right(users):
    """Nothing tells updated rows apart, so the rerun sweeps the blocks again."""
    users.execute(
        "CREATE FUNCTION lowered(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT lower($1)';"
        "ALTER TABLE users ADD CONSTRAINT short CHECK (email_lc <> 'user77@x')"
    )
    named = {"synced": True, "strategy": "striped"}
    with pytest.raises(BackfillIncomplete, match=r"\(231\) 23514"):
        fill(users, "users", {"email_lc": "lowered(email)"}, **named)
    users.execute("ALTER TABLE users DROP CONSTRAINT short")
    fill(users, "users", {"email_lc": "lowered(email)"}, **named)
    assert wrong(users) == 0


def test_a_composite_key_is_gone_along(database):
    database.execute(
        "CREATE TABLE lines (tenant int, at timestamptz, n int NOT NULL DEFAULT 0, PRIMARY KEY (tenant, at));"
        "INSERT INTO lines SELECT i % 7, timestamptz '2026-01-01' + i * interval '1 us', 0 "
        "FROM generate_series(1, 3000) i"
    )
    fill(database, "lines", {"n": "n + 1"}, batch_rows=70)
    assert database.rows("SELECT n, count(*) FROM lines GROUP BY n") == [(1, 3000)]


def test_partitions_are_filled_one_by_one(database):
    database.execute(
        "CREATE TABLE users (id bigint, email text NOT NULL, email_lc text, PRIMARY KEY (id)) "
        "PARTITION BY RANGE (id);"
        "CREATE TABLE a PARTITION OF users FOR VALUES FROM (0) TO (1000);"
        "CREATE TABLE b PARTITION OF users FOR VALUES FROM (1000) TO (9000) PARTITION BY RANGE (id);"
        "CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (1000) TO (5000);"
        "CREATE TABLE b2 PARTITION OF b FOR VALUES FROM (5000) TO (9000);"
        "INSERT INTO users SELECT i, 'X' || i FROM generate_series(0, 7000) i"
    )
    record, told = fill(database, "users", {"email_lc": "lower(users.email)"}, "users.email_lc IS NULL")
    assert wrong(database) == 0
    assert record.rows == 7001
    assert started(told)["rows_total"] == pytest.approx(7001, rel=0.2)


def test_a_table_without_partitions_has_nothing_to_fill(database):
    database.execute(
        "CREATE TABLE users (id bigint, email text, email_lc text, PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    for named in ({"where": "email_lc IS NULL"}, {"exactly_once": True}):
        record, _ = fill(database, "users", LOWER, **named)
        assert record.rows == 0


def test_a_partition_key_cannot_be_filled(database):
    database.execute("CREATE TABLE users (id bigint, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    with pytest.raises(NotPossible, match="decides in which partition"):
        fill(database, "users", {"id": "id + 1"})


def test_without_a_key_and_a_done_predicate_it_is_refused_with_advice(database):
    database.execute("CREATE TABLE users (n int); INSERT INTO users VALUES (1)")
    with pytest.raises(NotPossible, match=r"no primary key .* Add such a key"):
        fill(database, "users", {"n": "n + 1"})
    assert database.scalar("SELECT n FROM users") == 1


def test_without_a_key_blocks_are_swept_where_that_is_safe(database):
    database.execute(
        "CREATE TABLE users (email text, email_lc text);INSERT INTO users VALUES ('A'), ('B'), (NULL)"
    )
    fill(database, "users", LOWER)
    assert wrong(database) == 0


@pytest.mark.parametrize(
    ("table", "set_", "kind", "words"),
    [
        ("nothing", LOWER, NoSuchTable, "no table nothing"),
        ("users", {"nothing": "1"}, NoSuchColumn, "users has no column nothing"),
    ],
)
def test_what_is_not_there_is_told(users, table, set_, kind, words):
    with pytest.raises(kind, match=words):
        fill(users, table, set_)


def test_colons_and_percent_signs_reach_the_server_as_they_were_written(users):
    fill(
        users,
        "users",
        {"email_lc": "'50% :x ' || n::text || '\\:'"},
        "email LIKE 'User1%' AND email_lc IS NULL",
    )
    assert users.rows("SELECT DISTINCT email_lc FROM users WHERE email LIKE 'User1%'") == [("50% :x 0\\:",)]
    assert (
        users.scalar("SELECT count(*) FROM users WHERE email_lc IS NOT NULL AND email NOT LIKE 'User1%'") == 0
    )


def test_elements_of_sqlalchemy_are_understood(users):
    import sqlalchemy as sa

    email, filled = sa.column("email"), sa.column("email_lc")
    fill(users, "users", {"email_lc": sa.func.lower(email).concat("%:")}, filled.is_(None))
    assert users.scalar("SELECT count(*) FROM users WHERE email_lc = lower(email) || '%:'") == ROWS


@pytest.mark.parametrize(("strategy", "most"), [("keyset", 50), ("striped", 100)])
def test_the_first_batch_has_no_more_rows_than_the_revision_allows(users, strategy, most):
    with pytest.raises(StoppedByTest):
        fill(
            users,
            "users",
            LOWER,
            "email_lc IS NULL",
            batch_rows=50,
            strategy=strategy,
            link=stop_after(users, 1),
        )
    assert 0 < users.scalar("SELECT rows_done FROM headway_backfill") <= most


def test_where_the_rows_lie_in_the_first_blocks_the_percentage_is_not_behind_them(database):
    database.execute(TABLE.replace(str(ROWS), str(5 * ROWS)))
    database.execute(f"DELETE FROM users WHERE id > {6 * ROWS} AND id < {15 * ROWS}")
    database.connect().execute("VACUUM ANALYZE users")
    database.execute(
        "CREATE FUNCTION slowly(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.0003); RETURN lower($1); END $$"
    )
    _, told = fill(database, "users", {"email_lc": "slowly(email)"}, "email_lc IS NULL", batch_rows=100)
    progress = [facts for kind, facts in told.facts if kind == "BackfillProgressed"]
    shares = [(100 * facts["rows_done"] / facts["rows_total"], facts["percent"]) for facts in progress]
    on_the_way = [(share, percent) for share, percent in shares if 5 < share < 50]
    assert len(on_the_way) > 1
    assert all(percent >= share - 0.1 for share, percent in on_the_way)
    assert all(percent < 100 for _, percent in shares)
