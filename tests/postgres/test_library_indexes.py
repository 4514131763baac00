"""Indexes built and dropped concurrently: only valid ones count, whatever cut, blocked or preceded them."""

from __future__ import annotations

import threading

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext

from headway import create_index_concurrently, drop_index_concurrently
from headway.operations import indexes
from headway.operations.index_build import IndexNotBuilt
from headway.operations.tables import NoSuchTable
from headway.short_locks import LockUnavailable, Patience
from support.catalog import catalog
from support.cuts import statements_cut
from support.held_index import INDEX, HeldIndex
from support.revisions import StoppedByTest, Told, run
from support.waiting import wait_until

DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
DEFINITION = "SELECT pg_get_indexdef(to_regclass(%s))"


@pytest.fixture
def users(database):
    """A filled table in two schemas."""
    database.execute(
        """CREATE SCHEMA audit;
        CREATE TABLE users (id int PRIMARY KEY, email text, "Full % Name: x" text, data jsonb);
        CREATE TABLE audit.users (LIKE users);
        CREATE FUNCTION shown(users) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1.email;
        INSERT INTO users SELECT i, 'u' || i, 'n', '{}' FROM generate_series(1, 500) i"""
    )
    return database


def leave_invalid(database, statement):
    """As an interrupted build leaves it: a writer makes it wait until its time-out."""
    writer = database.connect(autocommit=False)
    writer.execute(f"UPDATE {statement.split(' ON ')[1].split(' (')[0]} SET email = email")
    one = database.connect()
    one.execute("SET lock_timeout = '50ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        one.execute(statement)
    writer.close()
    one.close()


def build(database, *arguments, driver="psycopg", link=None, **named):
    run(database.url(driver), lambda: create_index_concurrently(*arguments, **named), link)


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_is_built_with_every_driver_and_a_rerun_changes_nothing(users, driver):
    build(users, "i", "users", ["email"], driver=driver)
    assert users.scalar(VALID, ("i",))
    before = users.scalar("SELECT 'i'::regclass::oid")
    build(users, "i", "users", ["email"], driver=driver)
    assert users.scalar("SELECT 'i'::regclass::oid") == before


LONG_NAMES = {"even": "ж" * 40, "odd": "a" + "ж" * 40, "three bytes": "€" * 30, "just fits": "a" + "ж" * 31}
"""More bytes than characters."""


@pytest.mark.parametrize("name", LONG_NAMES.values(), ids=LONG_NAMES)
def test_a_name_of_more_bytes_than_the_server_keeps_is_the_one_that_it_makes_of_it(users, name):
    before = catalog(users)
    users.execute(f'CREATE INDEX "{name}" ON users (email)')
    plainly = catalog(users)
    run(users.url(), lambda: drop_index_concurrently(name, "users"))
    assert catalog(users) == before
    for _ in range(2):
        build(users, name, "users", ["email"])
        assert catalog(users) == plainly


CASES = {
    "several": ((["email", "id"],), {}, "btree (email, id)"),
    "unique": ((["email"],), {"unique": True}, "btree (email)"),
    "where": ((["email"],), {"where": "email::text <> ':x 10%'"}, "(email) WHERE (email <> ':x 10%'::text)"),
    "clause": ((["email"],), {"where": sa.column("id") > 7}, "(email) WHERE (id > 7)"),
    "using": ((["data"],), {"using": "gin"}, "gin (data)"),
    "include": ((["email"],), {"include": ["id"]}, "(email) INCLUDE (id)"),
    "opclass": (([sa.text("email text_pattern_ops")],), {}, "(email text_pattern_ops)"),
    "expression": (([sa.text("lower(email) DESC"), "id"],), {}, "(lower(email) DESC, id)"),
    "with": ((["email"],), {"postgresql_with": {"fillfactor": 70}}, "(email) WITH (fillfactor='70')"),
    "table's name": ((["email"],), {"where": "users.id > 7"}, "(email) WHERE (id > 7)"),
    "its quoted name": (([sa.text('lower("users".email)')],), {}, "btree (lower(email))"),
    "with the schema": ((["email"],), {"where": "public.users.id > 7"}, "(email) WHERE (id > 7)"),
    "a row of it": (([sa.text("shown(users)")],), {}, "btree (shown(users.*))"),
    "odd name": ((["Full % Name: x"],), {}, '("Full % Name: x")'),
}


@pytest.mark.parametrize(("arguments", "named", "shown"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_the_options_reach_the_server_and_a_rerun_knows_them_again(users, arguments, named, shown, driver):
    build(users, "I %: x", "users", *arguments, driver=driver, **named)
    definition = users.scalar(DEFINITION, ('"I %: x"',))
    assert definition.endswith(shown)
    assert ("UNIQUE" in definition) == named.get("unique", False)
    build(users, "I %: x", "users", *arguments, driver=driver, **named)


def test_a_schema_is_honoured_and_the_same_name_elsewhere_is_left_alone(users):
    users.execute("CREATE INDEX i ON users (id)")
    build(users, "i", "users", ["email"], schema="audit")
    assert users.scalar(DEFINITION, ("audit.i",)) == "CREATE INDEX i ON audit.users USING btree (email)"
    assert users.scalar(DEFINITION, ("i",)) == "CREATE INDEX i ON public.users USING btree (id)"


def test_without_a_name_that_of_the_naming_conventions_is_taken(users):
    metadata = sa.MetaData(naming_convention={"ix": "index_of_%(table_name)s_%(column_0_name)s"})
    run(
        users.url(),
        lambda: create_index_concurrently(None, "users", ["email"]),
        target_metadata=metadata,
    )
    assert users.scalar(VALID, ("index_of_users_email",))


def test_without_a_name_and_a_convention_it_is_refused(users):
    with pytest.raises(ValueError, match="has no name"):
        run(
            users.url(),
            lambda: create_index_concurrently(None, "users", ["email"]),
            target_metadata=sa.MetaData(naming_convention={"pk": "of_a_key"}),
        )


def test_autogenerate_sees_no_drift(users):
    from alembic.autogenerate import compare_metadata

    metadata = sa.MetaData()
    sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Text),
        sa.Column("Full % Name: x", sa.Text),
        sa.Column("data", sa.dialects.postgresql.JSONB),
        sa.Index("i", "email", unique=True, postgresql_where=sa.text("id > 7")),
    )
    build(users, "i", "users", ["email"], unique=True, where="id > 7")
    engine = sa.create_engine(users.url())
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_invalid_index_of_its_name_is_dropped_and_built_again(users, driver):
    leave_invalid(users, "CREATE INDEX CONCURRENTLY i ON users (email)")
    assert users.scalar(VALID, ("i",)) is False
    link = Told()
    build(users, "i", "users", ["email"], driver=driver, link=link)
    assert users.scalar(VALID, ("i",)) is True
    assert link.notices() == ["The INVALID index public.i, left by an interrupted build, was dropped."]


def test_what_an_interrupted_reindex_left_beside_it_is_dropped(users):
    users.execute("CREATE INDEX i ON users (email)")
    writer = users.connect(autocommit=False)
    writer.execute("UPDATE users SET email = email")
    one = users.connect()
    one.execute("SET lock_timeout = '50ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        one.execute("REINDEX INDEX CONCURRENTLY i")
    writer.close()
    assert users.scalar(VALID, ("i_ccnew",)) is False
    build(users, "i", "users", ["email"])
    assert users.rows("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'i%'") == [("i",)]


def test_a_valid_index_with_another_definition_is_refused_and_both_are_shown(users):
    users.execute("CREATE INDEX i ON users (email)")
    with pytest.raises(IndexNotBuilt) as caught:
        build(users, "i", "users", ["email"], where="id > 7")
    assert "It is: USING btree (email)." in str(caught.value)
    assert "Wanted: USING btree (email) WHERE (id > 7)" in str(caught.value)
    assert users.scalar(DEFINITION, ("i",)) == "CREATE INDEX i ON public.users USING btree (email)"


def test_another_definition_that_names_the_table_is_refused_too(users):
    users.execute("CREATE INDEX i ON users (email) WHERE id > 7")
    with pytest.raises(IndexNotBuilt, match=r"Wanted: USING btree \(email\) WHERE \(id > 8\)"):
        build(users, "i", "users", ["email"], where="users.id > 8")


def test_an_index_of_a_table_with_any_name_may_name_it(users):
    users.execute('CREATE TABLE audit."Select %: x" (LIKE users)')
    for driver in ("psycopg2", "asyncpg"):
        build(
            users, "i", "Select %: x", ["email"], schema="audit", where='"Select %: x".id > 7', driver=driver
        )
    definition = users.scalar(DEFINITION, ("audit.i",))
    assert definition == 'CREATE INDEX i ON audit."Select %: x" USING btree (email) WHERE (id > 7)'


def test_a_name_that_another_table_s_index_has_is_refused(users):
    users.execute("CREATE TABLE orders (id int); CREATE INDEX i ON orders (id)")
    with pytest.raises(IndexNotBuilt, match=r"taken by an index of the table public\.orders"):
        build(users, "i", "users", ["email"])


def test_a_table_that_is_not_there_is_told(users):
    with pytest.raises(NoSuchTable, match="no table shops in the schema audit"):
        build(users, "i", "shops", ["email"], schema="audit")


def test_rows_that_are_not_unique_are_told_without_their_values_and_nothing_is_left(users):
    users.execute("UPDATE users SET email = 'secret' WHERE id < 3")
    before = catalog(users)
    with pytest.raises(IndexNotBuilt, match=r"rows of public\.users share a value") as caught:
        build(users, "i", "users", ["email"], unique=True)
    assert caught.value.sqlstate == "23505"
    assert "secret" not in str(caught.value)
    assert catalog(users) == before


def test_another_failure_leaves_nothing_either(users):
    before = catalog(users)
    with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
        build(users, "i", "users", [sa.text("(1 / (id - id))")])
    assert catalog(users) == before


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_build_that_waits_for_a_transaction_tells_whose_and_goes_on_when_it_ends(users, driver):
    """Longer than any short lock time-out would last, and without one: also where the database's own is short."""
    users.execute(f"ALTER DATABASE {users.name} SET lock_timeout = '50ms'")
    writer = psycopg.connect(users.address, application_name="shop-web")
    writer.execute("UPDATE users SET email = email WHERE id = 411")
    link, pid = Told(), writer.info.backend_pid

    def on_report(kind, facts):
        if kind == "IndexBuilding" and facts["waits_for"]:
            writer.rollback()

    link.on_report = on_report
    build(users, "i", "users", ["email"], driver=driver, link=link)
    writer.close()
    (told, *_) = [facts for kind, facts in link.facts if kind == "IndexBuilding" and facts["waits_for"]]
    assert told["phase"] == "waiting for writers before build"
    assert told["index"] == "i"
    assert told["table"] == "public.users"
    assert f"session {pid} (application shop-web): idle in transaction" in told["waits_for"]
    assert "411" not in told["waits_for"]
    assert users.scalar(VALID, ("i",))


@pytest.mark.parametrize("driver", DRIVERS)
def test_how_far_a_build_is_comes_from_the_servers_own_count_of_blocks(database, driver):
    held, link = HeldIndex(database), Told()

    def on_report(kind, facts):
        if kind == "IndexBuilding" and facts["phase"] == "building index: scanning table":
            held.let_go()

    link.on_report = on_report
    build(database, INDEX, "events", [sa.text("kind_of(id, kind)")], driver=driver, link=link)
    percents = [facts["percent"] for kind, facts in link.facts if "scanning table" in str(facts.get("phase"))]
    assert percents[0] == pytest.approx(held.percent, abs=2)
    assert 70 < percents[0] < 80
    assert held.is_built


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_stop_cancels_the_build_and_leaves_nothing_that_can_be_dropped(users, driver):
    before = catalog(users)
    writer = psycopg.connect(users.address)
    writer.execute("UPDATE users SET email = email WHERE id = 411")
    link = Told()

    def on_report(kind, facts):
        if kind == "IndexBuilding":
            link.wished = {"stop": True, "stop_reason": "Superseded."}
            threading.Thread(target=end_when_cancelled).start()

    def end_when_cancelled():
        wait_until(
            lambda: (
                not users.scalar(
                    "SELECT 1 FROM pg_stat_activity WHERE query ~ '^CREATE INDEX' AND state = 'active'"
                )
            ),
            what="the end of the build",
        )
        writer.close()

    link.on_report = on_report
    with pytest.raises(StoppedByTest, match="Superseded"):
        build(users, "i", "users", ["email"], driver=driver, link=link)
    wait_until(lambda: catalog(users) == before, what="the index to go")


def test_one_that_another_session_is_building_is_waited_for_and_not_dropped(users):
    writer = users.connect(autocommit=False)
    writer.execute("UPDATE users SET email = email WHERE id = 411")
    other = threading.Thread(target=users.execute, args=("CREATE INDEX CONCURRENTLY i ON users (email)",))
    other.start()
    wait_until(lambda: users.scalar(VALID, ("i",)) is False, what="the other build")
    oid = users.scalar("SELECT 'i'::regclass::oid")
    link = Told(on_report=lambda kind, facts: writer.rollback())
    build(users, "i", "users", ["email"], link=link)
    other.join()
    assert "is building the index public.i" in link.notices()[0]
    assert users.scalar("SELECT 'i'::regclass::oid") == oid
    assert users.scalar(VALID, ("i",))


def fill(database, more=""):
    database.execute("CREATE TABLE users (id int PRIMARY KEY, email text)")
    database.execute("INSERT INTO users SELECT i, 'u' || i FROM generate_series(1, 50) i;" + more)


def test_a_session_cut_at_any_statement_leaves_a_rerun_the_same_end(database):
    def prepare(database):
        fill(database)
        leave_invalid(database, "CREATE INDEX CONCURRENTLY i ON users (email)")

    fill(database, "CREATE INDEX i ON users (email)")
    end = catalog(database)
    cuts = statements_cut(
        database,
        prepare,
        lambda database: build(database, "i", "users", ["email"]),
        lambda database: catalog(database) == end or pytest.fail(str(catalog(database))),
    )
    assert sum(one.startswith("CREATE INDEX CONCURRENTLY") for one in cuts) == 2
    assert sum(one.startswith("DROP INDEX CONCURRENTLY") for one in cuts) == 2


PARTITIONED = """
CREATE TABLE events (id int, at date, kind text) PARTITION BY RANGE (at);
CREATE TABLE "events 2025" PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
  PARTITION BY LIST (kind);
CREATE TABLE events_2026_a PARTITION OF events_2026 FOR VALUES IN ('a');
CREATE TABLE events_2026_rest PARTITION OF events_2026 DEFAULT;
INSERT INTO events SELECT i, '2025-06-01'::date + i, substr('abc', i % 3 + 1, 1) FROM generate_series(1, 500) i
"""
TREE = "SELECT count(*), bool_and(indisvalid) FROM pg_partition_tree('i') JOIN pg_index ON indexrelid = relid"


@pytest.fixture
def events(database):
    database.execute(PARTITIONED)
    return database


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_partitioned_table_gets_it_partition_by_partition(events, driver):
    build(events, "i", "events", ["id"], driver=driver)
    assert events.rows(TREE) == [(5, True)]
    build(events, "i", "events", ["id"], driver=driver)
    assert events.rows(TREE) == [(5, True)]
    assert events.scalar(DEFINITION, ("i",)) == "CREATE INDEX i ON ONLY public.events USING btree (id)"


def test_a_partitioned_index_that_cannot_be_is_refused_before_any_work(events):
    before = catalog(events)
    with pytest.raises(sa.exc.DBAPIError, match="must include all partitioning columns"):
        build(events, "i", "events", ["id"], unique=True)
    assert catalog(events) == before


def test_a_partitioned_index_that_names_the_table_is_refused_before_any_work(events):
    before = catalog(events)
    with pytest.raises(sa.exc.DBAPIError, match="events"):
        build(events, "i", "events", ["id"], where="events.id > 7")
    assert catalog(events) == before


def test_a_partition_that_has_an_attached_index_keeps_it(events):
    events.execute('CREATE INDEX i ON ONLY events (id); CREATE INDEX own ON "events 2025" (id)')
    events.execute("ALTER INDEX i ATTACH PARTITION own")
    build(events, "i", "events", ["id"])
    assert events.rows(TREE) == [(5, True)]
    assert events.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'events 2025'") == [("own",)]


def test_a_partitioned_index_with_another_definition_is_refused(events):
    events.execute("CREATE INDEX i ON events (id, at)")
    with pytest.raises(
        IndexNotBuilt, match=r"It is: USING btree \(id, at\)\. Wanted on public.events: USING"
    ):
        build(events, "i", "events", ["id"])


def test_a_session_cut_at_any_statement_on_a_partitioned_table(events):
    build(events, "i", "events", ["id"])
    end = catalog(events)
    cuts = statements_cut(
        events,
        lambda database: database.execute(PARTITIONED),
        lambda database: build(database, "i", "events", ["id"]),
        lambda database: catalog(database) == end or pytest.fail(str(catalog(database))),
    )
    assert sum("ON ONLY" in one for one in cuts) == 4
    assert sum("ATTACH PARTITION" in one for one in cuts) == 8


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_drop_brings_the_catalog_back_and_again_is_noticed(users, driver):
    before, link = catalog(users), Told()
    build(users, "i", "users", ["email"], driver=driver)
    run(users.url(driver), lambda: drop_index_concurrently("i", "users"), link)
    assert catalog(users) == before
    assert link.notices() == []
    run(users.url(driver), lambda: drop_index_concurrently("i", "users"), link)
    assert link.notices() == ["The index i is not there: nothing to drop."]


def test_a_drop_by_the_table_s_schema(users):
    users.execute("CREATE INDEX i ON users (email); CREATE INDEX i ON audit.users (email)")
    run(users.url(), lambda: drop_index_concurrently("i", schema="audit"))
    assert users.scalar(VALID, ("i",)) is True
    assert users.scalar(VALID, ("audit.i",)) is None


def test_the_index_of_a_constraint_is_not_dropped(users):
    with pytest.raises(IndexNotBuilt, match="belongs to the constraint users_pkey"):
        run(users.url(), lambda: drop_index_concurrently("users_pkey"))


def test_a_partitioned_index_is_dropped_with_those_of_its_partitions(events):
    before = catalog(events)
    build(events, "i", "events", ["id"])
    run(events.url(), lambda: drop_index_concurrently("i", "events"))
    assert catalog(events) == before


SOON = Patience(first_ms=20, longest_ms=20, first_pause_seconds=0.01, longest_pause_seconds=0.01)


def given_up(database, monkeypatch):
    """What a drop says that has not long to wait."""
    monkeypatch.setattr(indexes, "LONG", SOON)
    with pytest.raises(LockUnavailable) as caught:
        run(
            database.url(),
            lambda: drop_index_concurrently("i", "users", patience=Patience(give_up_after_seconds=0.1)),
        )
    return str(caught.value)


def test_a_drop_that_is_given_up_names_whoever_only_reads_and_says_what_is_left(users, monkeypatch):
    users.execute("CREATE INDEX i ON users (email)")
    reader = psycopg.connect(users.address, application_name="report")
    reader.execute("SELECT count(*) FROM users")
    said = given_up(users, monkeypatch)
    assert f"session {reader.info.backend_pid} (application report): idle in transaction" in said
    assert "the end of all transactions that use public.users" in said
    assert "The index public.i is INVALID now: no query uses it and writes still keep it up" in said
    assert "Nothing was changed" not in said
    assert users.scalar(VALID, ("i",)) is False
    reader.close()
    run(users.url(), lambda: drop_index_concurrently("i", "users"))
    assert users.scalar(VALID, ("i",)) is None


def test_a_drop_that_never_had_its_lock_has_changed_nothing(users, monkeypatch):
    users.execute("CREATE INDEX i ON users (email)")
    other = psycopg.connect(users.address)
    other.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")
    said = given_up(users, monkeypatch)
    other.close()
    assert "Nothing was changed by this step." in said
    assert "INVALID" not in said
    assert users.scalar(VALID, ("i",)) is True


def test_a_session_cut_while_it_drops_leaves_a_rerun_the_same_end(database):
    fill(database)
    end = catalog(database)
    cuts = statements_cut(
        database,
        lambda database: fill(database, "CREATE INDEX i ON users (email)"),
        lambda database: run(database.url(), lambda: drop_index_concurrently("i", "users")),
        lambda database: catalog(database) == end or pytest.fail(str(catalog(database))),
    )
    assert len(cuts) == 2
