"""Sync triggers on a real server: whatever old and new code write, both columns hold it, and no write is lost."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from headway.sync.pair import Conversion, Mark, Pair, Side, mark_of
from headway.sync.triggers import creation, removal

NOT_GIVEN = object()
MACHINE = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
KEYS = st.integers(0, 5)


def renamed(
    table="users", type_="text", default=None, schema="public", old="name", new="full_name", nullable=True
):
    return Pair(
        schema, table, "op", Side(old, type_, default), Side(new, type_, default), is_old_nullable=nullable
    )


def install(database, pair):
    for one in creation(pair, Mark("op", pair.table, pair.old.name, pair.new.name, "rename")):
        database.execute(one)


class Writer(RuleBasedStateMachine):
    """Old and new code on one table; the model knows what each row must hold: (old value, new value)."""

    connection = None
    kind: type
    pair: Pair

    def __init__(self):
        super().__init__()
        self.connection.execute("TRUNCATE t")
        self.model = {}

    def written(self, before, old, new):
        """Both values after a write that gave `old` and `new`; `before` is None for an INSERT."""
        raise NotImplementedError

    def put(self, key, old, new, before):
        self.model[key] = self.written(before, old, new)

    def given(self, old, new):
        return {
            name: value
            for name, value in ((self.pair.old.name, old), (self.pair.new.name, new))
            if value is not NOT_GIVEN
        }

    def inserted(self, key, old, new, tail=""):
        values = {"id": key, **self.given(old, new)}
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        self.connection.execute(f"INSERT INTO t ({names}) VALUES ({places}) {tail}", tuple(values.values()))

    def insert(self, key, old, new):
        if key not in self.model:
            self.inserted(key, old, new)
            self.put(key, old, new, None)

    def update(self, key, old, new, other):
        changes = self.given(old, new) | ({"other": 1} if other else {})
        if not changes:
            return
        sets = ", ".join(f"{name} = %s" for name in changes)
        self.connection.execute(f"UPDATE t SET {sets} WHERE id = %s", (*changes.values(), key))
        if key in self.model:
            self.put(key, old, new, self.model[key])

    def upsert(self, key, value, through_new):
        column = self.pair.new.name if through_new else self.pair.old.name
        given = (NOT_GIVEN, value) if through_new else (value, NOT_GIVEN)
        self.inserted(key, *given, f"ON CONFLICT (id) DO UPDATE SET {column} = EXCLUDED.{column}")
        self.put(key, *given, self.model.get(key))

    def copy(self, keys, old, new):
        keys = sorted(set(keys) - set(self.model))
        given = self.given(old, new)
        with self.connection.cursor().copy(f"COPY t ({', '.join(('id', *given))}) FROM STDIN") as copy:
            for key in keys:
                copy.write_row((key, *given.values()))
        for key in keys:
            self.put(key, old, new, None)

    @rule(key=KEYS)
    def delete(self, key):
        self.connection.execute("DELETE FROM t WHERE id = %s", (key,))
        self.model.pop(key, None)

    @invariant()
    def nothing_is_lost(self):
        names = f"{self.pair.old.name}, {self.pair.new.name}"
        found = self.connection.execute(f"SELECT id, {names} FROM t").fetchall()
        assert {key: (old, new) for key, old, new in found} == self.model


def with_rules(values, new_values=None):
    """The rules over what old code may write and what new code may write."""
    maybe = st.just(NOT_GIVEN) | values
    maybe_new = st.just(NOT_GIVEN) | (new_values if new_values is not None else values)

    class Rules(Writer):
        insert = rule(key=KEYS, old=maybe, new=maybe_new)(Writer.insert)
        update = rule(key=KEYS, old=maybe, new=maybe_new, other=st.booleans())(Writer.update)
        copy = rule(keys=st.lists(KEYS, max_size=3), old=maybe, new=maybe_new)(Writer.copy)

        @rule(key=KEYS, value=values)
        def upsert_old(self, key, value):
            self.upsert(key, value, through_new=False)

        @rule(key=KEYS, value=new_values if new_values is not None else values)
        def upsert_new(self, key, value):
            self.upsert(key, value, through_new=True)

    return Rules


WORDS = st.sampled_from([None, "", "a", "A", "b", "d", "x' \\ %s"])


class Renamed(with_rules(WORDS)):
    """One value in two places; the column's default is an SQL text in `pair`, and its value here."""

    default_value = None

    def written(self, before, old, new):
        if before is None:
            is_new_given = new is not NOT_GIVEN and new != self.default_value
            value = new if is_new_given else old if old is not NOT_GIVEN else self.default_value
            # A lone NULL through either column is a value where the default is another one.
            return (value, value)
        if new is not NOT_GIVEN and new != before[1]:
            return (new, new)
        return before if old is NOT_GIVEN else (old, old)


PLAIN = "CREATE TABLE t (id int PRIMARY KEY, other int, name {type} {default}, full_name {type} {default})"
PARTITIONED = PLAIN + (
    " PARTITION BY HASH (id); CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
    "CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
)


@pytest.mark.parametrize("table", [PLAIN, PARTITIONED], ids=["plain", "partitioned"])
@pytest.mark.parametrize("default", [None, "d"])
@pytest.mark.parametrize("type_", ["text", "varchar(20)"])
def test_a_renamed_column_and_its_old_name_are_always_equal(database, table, default, type_):
    sql_default = None if default is None else f"'{default}'"
    database.execute(table.format(type=type_, default=f"DEFAULT {sql_default}" if default else ""))
    pair = renamed("t", type_, sql_default)
    install(database, pair)
    machine = type(
        "Machine", (Renamed,), {"connection": database.connect(), "pair": pair, "default_value": default}
    )
    run_state_machine_as_test(machine, settings=MACHINE)


def number(text):
    """text::int of PostgreSQL, None where it refuses."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


class Converted(
    with_rules(st.sampled_from([None, "1", "01", "7", "no number"]), st.sampled_from([None, 1, 7, 8]))
):
    """Old code writes texts, new code numbers; a text that is no number stays, and is NULL for new code."""

    def written(self, before, old, new):
        # What is right already, whoever wrote it, is not touched: '01' and 1.
        if before is None:
            if new is not NOT_GIVEN and new is not None:
                is_same = old is not NOT_GIVEN and number(old) == new
                return (old if is_same else str(new), new)
            old = None if old is NOT_GIVEN else old
            return (old, number(old))
        was_old, was_new = before
        after_old = was_old if old is NOT_GIVEN else old
        after_new = was_new if new is NOT_GIVEN else new
        if number(after_old) == after_new:
            return (after_old, after_new)
        if after_new != was_new:
            return (None if after_new is None else str(after_new), after_new)
        return (after_old, number(after_old))


CALLS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions"
GROWING = Pair(
    "public", "t", "op", Side("n", "integer"), Side("n__new", "bigint"),
    Conversion(), Conversion(is_total=False), is_lossless=True,
)  # fmt: skip


class Grown(with_rules(st.sampled_from([None, 1, 7]), st.sampled_from([None, 1, 7, 3_000_000_000]))):
    """Old code writes integers and new code larger ones, which the old column cannot hold."""

    def written(self, before, old, new):
        if before is None:
            value = new if new is not NOT_GIVEN and new is not None else old
        else:
            value = new if new is not NOT_GIVEN and new != before[1] else old
            if value is NOT_GIVEN or (value is old and old == before[0]):
                return before
        value = None if value is NOT_GIVEN else value
        return (value if value is None or value < 2**31 else None, value)


def test_a_column_that_grows_keeps_what_is_too_large_for_the_old_one(database):
    database.execute("CREATE TABLE t (id int PRIMARY KEY, other int, n int, n__new bigint)")
    install(database, GROWING)
    machine = type("Machine", (Grown,), {"connection": database.connect(), "pair": GROWING})
    run_state_machine_as_test(machine, settings=MACHINE)


TEXT_TO_NUMBER = Pair(
    "public", "t", "op", Side("price", "text"), Side("price__new", "integer"),
    Conversion("price::int", "price", is_total=False), Conversion("price::text", "price", is_total=False),
)  # fmt: skip


def test_a_column_of_another_type_follows_through_the_conversion_and_back(database):
    database.execute("CREATE TABLE t (id int PRIMARY KEY, other int, price text, price__new int)")
    install(database, TEXT_TO_NUMBER)
    machine = type("Machine", (Converted,), {"connection": database.connect(), "pair": TEXT_TO_NUMBER})
    run_state_machine_as_test(machine, settings=MACHINE)


def made(database, pair, table):
    """A table with the pair's triggers and a connection to write through."""
    database.execute(table)
    install(database, pair)
    return database.connect()


def values(connection, table="t"):
    return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


@pytest.mark.parametrize(
    ("type_", "first", "second"),
    [
        ("numeric", "1.0", "1.00"),
        ("json", '{"a": 1}', '{"a": 2}'),
        ("box", "(2,2),(0,0)", "(4,1),(0,0)"),
        ("interval", "24:00:00", "1 day"),
        ("text[]", "{a,NULL}", "{a,b}"),
        ("jsonb", "1.0", "1.00"),
    ],
)
def test_a_write_that_the_types_own_equality_does_not_see_is_not_lost(database, type_, first, second):
    writer = made(database, renamed("t", type_), f"CREATE TABLE t (name {type_}, full_name {type_})")
    writer.execute("INSERT INTO t (name) VALUES (%s)", (first,))
    writer.execute("UPDATE t SET full_name = %s", (second,))
    assert writer.execute("SELECT name::text, full_name::text FROM t").fetchone() == (second, second)


def test_names_of_any_kind_and_length_are_quoted_and_found_again(database):
    table, old, new = 'Users "of" ' + "ü" * 26, 'Na"me ' + "x" * 55, "select " + "y" * 55
    pair = renamed(table, schema='My "Schema"', old=old, new=new)
    database.execute('CREATE SCHEMA "My ""Schema"""')
    connection = made(
        database, pair,
        f"CREATE TABLE {pair.relation} (\"{pair.old.name.replace(chr(34), chr(34) * 2)}\" text, \"{new}\" text)",
    )  # fmt: skip
    connection.execute(f'INSERT INTO {pair.relation} ("{new}") VALUES (%s)', ("a",))
    assert values(connection, pair.relation) == [("a", "a")]
    assert all(len(name.encode()) <= 63 for name in (pair.function, *pair.triggers))
    comments = database.rows(
        "SELECT obj_description(t.oid, 'pg_trigger'), obj_description(tgfoid, 'pg_proc') FROM pg_trigger t"
    )
    assert {mark_of(comment) for row in comments for comment in row} == {
        Mark("op", table, old, new, "rename")
    }


def test_pairs_of_one_table_do_not_disturb_each_other(database):
    database.execute("CREATE TABLE t (id int, a text, b text, c text, d text)")
    for pair in (renamed("t", old="a", new="b"), renamed("t", old="c", new="d")):
        install(database, pair)
    database.execute("INSERT INTO t (id, a, d) VALUES (1, 'x', 'y')")
    database.execute("UPDATE t SET b = 'z', c = 'w'")
    assert database.rows("SELECT a, b, c, d FROM t") == [("z", "z", "w", "w")]


def test_what_a_trigger_of_the_application_makes_of_a_value_reaches_the_other_column(database):
    database.execute(
        "CREATE TABLE t (name text, full_name text);"
        "CREATE FUNCTION lower_name() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$;"
        "CREATE TRIGGER lower_name BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION lower_name()"
    )
    install(database, renamed("t"))
    database.execute("INSERT INTO t (name) VALUES ('ADA')")
    assert database.rows("SELECT * FROM t") == [("ada", "ada")]


def test_a_writer_with_a_search_path_of_its_own_cannot_change_what_the_function_calls(database):
    pair = Pair(
        "public", "t", "op", Side("price", "text"), Side("price__new", "integer"),
        Conversion("length(price)", "price"), None, path="public",
    )  # fmt: skip
    database.execute(
        "CREATE SCHEMA evil; CREATE FUNCTION evil.length(text) RETURNS int LANGUAGE sql AS 'SELECT 666';"
        "CREATE FUNCTION evil.record_image_eq(record, record) RETURNS boolean "
        "LANGUAGE plpgsql AS 'BEGIN RETURN true; END'"
    )
    writer = made(database, pair, "CREATE TABLE t (price text, price__new int)")
    writer.execute("SET search_path = evil, pg_catalog, public")
    writer.execute("INSERT INTO t (price) VALUES ('abc')")
    assert values(writer) == [("abc", 3)]


def test_a_row_from_before_is_filled_by_whatever_update_comes_first(database):
    database.execute("CREATE TABLE t (id int, name text, full_name text); INSERT INTO t VALUES (1, 'a')")
    install(database, renamed("t"))
    database.execute("UPDATE t SET id = 2")
    assert database.rows("SELECT * FROM t") == [(2, "a", "a")]


def test_a_stray_value_that_nobody_wrote_through_us_is_not_overwritten_by_another_update(database):
    database.execute(
        "CREATE TABLE t (id int, name text, full_name text); INSERT INTO t VALUES (1, NULL, 'b')"
    )
    install(database, renamed("t"))
    database.execute("UPDATE t SET id = 2")
    assert database.rows("SELECT * FROM t") == [(2, None, "b")]


def test_a_number_too_large_for_the_old_column_is_kept_in_the_new_one(database):
    pair = Pair(
        "public", "t", "op", Side("n", "integer"), Side("n__new", "bigint"),
        Conversion(), Conversion(is_total=False),
    )  # fmt: skip
    writer = made(database, pair, "CREATE TABLE t (n int, n__new bigint)")
    writer.execute("INSERT INTO t (n__new) VALUES (3000000000)")
    assert values(writer) == [(None, 3000000000)]
    writer.execute("UPDATE t SET n = 5")
    assert values(writer) == [(5, 5)]


def test_where_the_old_column_takes_no_null_the_writer_is_told_what_it_cannot_hold(database):
    pair = Pair(
        "public", "t", "op", Side("n", "integer"), Side("n__new", "bigint"),
        Conversion(), Conversion(is_total=False), is_old_nullable=False,
    )  # fmt: skip
    writer = made(database, pair, "CREATE TABLE t (n int NOT NULL, n__new bigint)")
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        writer.execute("INSERT INTO t (n__new) VALUES (3000000000)")


@pytest.mark.parametrize("is_lossless", [False, True])
def test_one_way_what_new_code_writes_stays_and_does_not_reach_the_old_column(database, is_lossless):
    pair = Pair(
        "public", "t", "op", Side("n", "integer"), Side("n__new", "bigint"),
        Conversion(), None, is_lossless=is_lossless,
    )  # fmt: skip
    writer = made(database, pair, "CREATE TABLE t (n int, n__new bigint, other int)")
    writer.execute("INSERT INTO t (n) VALUES (1)")
    assert values(writer) == [(1, 1, None)]
    writer.execute("UPDATE t SET n__new = NULL")
    writer.execute("UPDATE t SET other = 1")
    assert values(writer) == [(1, None, 1)]
    writer.execute("UPDATE t SET n = 2")
    assert values(writer) == [(2, 2, 1)]


def test_a_row_that_moves_to_another_partition_keeps_what_the_conversion_would_lose(database):
    pair = Pair(
        "public", "t", "op", Side("n", "integer", "0"), Side("n__new", "numeric", "0.4"),
        Conversion(), Conversion(is_total=False),
    )  # fmt: skip
    writer = made(
        database, pair,
        "CREATE TABLE t (id int, n int DEFAULT 0, n__new numeric DEFAULT 0.4) PARTITION BY LIST (id);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);"
        "INSERT INTO t (id, n, n__new) VALUES (1, 7, 7)",
    )  # fmt: skip
    writer.execute("UPDATE t SET id = 2, n__new = 0.4")
    assert [(n, str(new)) for _, n, new in values(writer)] == [(0, "0.4")]


def test_removal_leaves_nothing_and_may_be_repeated(database):
    pair = renamed("t")
    writer = made(database, pair, "CREATE TABLE t (name text, full_name text)")
    for _ in range(2):
        for one in removal(pair):
            writer.execute(one)
    left = "SELECT (SELECT count(*) FROM pg_trigger) + (SELECT count(*) FROM pg_proc WHERE proname LIKE '%headway%')"
    assert database.scalar(left) == 0


@pytest.mark.parametrize(
    "pair", [renamed("t", "integer", old="n", new="n__new"), GROWING], ids=["name", "type"]
)
def test_neither_other_writes_nor_the_backfill_call_the_function(database, pair):
    database.execute(f"CREATE TABLE t (id int, n int, n__new {pair.new.type}); INSERT INTO t VALUES (1, 1)")
    install(database, pair)
    writer = database.connect()
    with writer.transaction():
        writer.execute("SET LOCAL track_functions = 'all'")
        writer.execute("UPDATE t SET n__new = n")
        writer.execute("UPDATE t SET id = 2")
        writer.execute("INSERT INTO t (id) VALUES (3)")
        assert writer.execute(CALLS).fetchone() == (0,)
        writer.execute("UPDATE t SET n = 5")
        assert writer.execute(CALLS).fetchone() != (0,)
    assert values(writer) == [(2, 5, 5), (3, 5, 5)]
