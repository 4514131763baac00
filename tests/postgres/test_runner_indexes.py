"""INVALID indexes: healed when a revision builds them, told when not, and never taken for finished ones."""

from __future__ import annotations

import pytest

from headway_contract.events import Notice, RevisionStarted
from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, plan, request_for, start
from support.waiting import wait_until

INVALID = (
    "SELECT c.oid::regclass::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid "
    "WHERE NOT indisvalid AND relkind = 'i' ORDER BY 1"
)


def invalid(database):
    return [name for (name,) in database.rows(INVALID)]


def leave_invalid(database, statement):
    """An interrupted build, as a cancelled one leaves it: a writer makes it wait until the time-out."""
    table = statement.split(" ON ")[1].split(" (")[0]
    writer = database.connect(autocommit=False)
    writer.execute(f"INSERT INTO {table} DEFAULT VALUES")
    one = database.connect()
    one.execute("SET lock_timeout = '100ms'")
    with pytest.raises(Exception, match="lock timeout"):
        one.execute(statement)
    writer.rollback()
    one.close()


@pytest.fixture
def shop(database):
    """A table in two schemas."""
    database.execute(
        "CREATE SCHEMA audit; CREATE TABLE users (a int, b int); CREATE TABLE audit.users (a int, b int)"
    )
    return database


def building(folder, *statements):
    body = "".join(f"    op.execute({statement!r})\n" for statement in statements)
    return from_template(folder).revision("a1", f"with op.get_context().autocommit_block():\n{body}")


@pytest.mark.parametrize(
    ("left", "statement"),
    [
        ("CREATE INDEX CONCURRENTLY i ON users (a)", "CREATE INDEX CONCURRENTLY i ON users (a)"),
        ("CREATE INDEX CONCURRENTLY i ON users (a)", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a)"),
        ("CREATE INDEX CONCURRENTLY i ON users (a)", "/* again */ CREATE INDEX CONCURRENTLY i ON public.users (a)"),
        ('CREATE INDEX CONCURRENTLY "I x" ON users (a)', 'CREATE INDEX CONCURRENTLY "I x" ON users (a)'),
        ("CREATE INDEX CONCURRENTLY i ON audit.users (a)", "CREATE INDEX CONCURRENTLY i ON audit.users (a)"),
        ("CREATE INDEX CONCURRENTLY ON users (a)", "CREATE INDEX CONCURRENTLY ON users ( a )"),
    ],
    ids=["plain", "if not exists", "commented and qualified", "quoted", "other schema", "named by the server"],
)  # fmt: skip
def test_an_invalid_index_that_a_revision_builds_is_built_again(tmp_path, shop, left, statement):
    leave_invalid(shop, left)
    (name,) = invalid(shop)
    run = migrate(building(tmp_path, statement), shop.url())
    assert run.exit_code == 0, run.stderr
    assert invalid(shop) == []
    assert shop.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", (name,))


def test_an_index_of_the_same_name_in_another_schema_is_left_alone_and_told(tmp_path, shop):
    leave_invalid(shop, "CREATE INDEX CONCURRENTLY i ON audit.users (a)")
    run = migrate(building(tmp_path, "CREATE INDEX CONCURRENTLY i ON users (a)"), shop.url())
    assert run.exit_code == 0, run.stderr
    assert invalid(shop) == ["audit.i"]
    told = [notice.message for notice in run.of(Notice)]
    assert any("The index audit.i was invalid before this run and still is: REINDEX" in one for one in told)
    assert all(notice.warning for notice in run.of(Notice) if "audit.i" in notice.message)


def test_an_unqualified_table_is_found_by_the_search_path_of_the_session(tmp_path, shop):
    leave_invalid(shop, "CREATE INDEX CONCURRENTLY i ON audit.users (a)")
    project = building(
        tmp_path, "SET search_path = audit, public", "CREATE INDEX CONCURRENTLY i ON users (a)"
    )
    run = migrate(project, shop.url(), version_table_schema="public")
    assert run.exit_code == 0, run.stderr
    assert invalid(shop) == []


def test_an_invalid_index_is_told_by_a_plan_with_nothing_to_do(tmp_path, shop):
    project = from_template(tmp_path).tables("a1")
    assert migrate(project, shop.url()).exit_code == 0
    leave_invalid(shop, "CREATE INDEX CONCURRENTLY i ON users (a)")
    run = migrate(project, shop.url())
    assert run.exit_code == 0
    assert "The index public.i is INVALID" in run.of(Notice)[0].message
    assert run.of(Notice)[0].warning
    (planned,) = plan(project, {"main": shop.url()}).result.plan.databases
    assert (len(planned.notices), planned.warnings) == (1, 1)


def test_if_not_exists_in_a_transaction_does_not_take_an_invalid_index_for_a_finished_one(tmp_path, shop):
    leave_invalid(shop, "CREATE INDEX CONCURRENTLY i ON users (a)")
    project = from_template(tmp_path).revision(
        "a1", "op.execute('CREATE INDEX IF NOT EXISTS i ON users (a)')"
    )
    run = migrate(project, shop.url())
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert "DROP INDEX CONCURRENTLY public.i" in run.result.failure.message
    assert run.result.to_revision == ()


def test_alembic_s_own_operation_with_if_not_exists_heals_it(tmp_path, shop):
    leave_invalid(shop, "CREATE INDEX CONCURRENTLY i ON users (a)")
    project = from_template(tmp_path).revision(
        "a1",
        """
        with op.get_context().autocommit_block():
            op.create_index("i", "users", ["a"], postgresql_concurrently=True, if_not_exists=True)
        """,
    )
    assert migrate(project, shop.url()).exit_code == 0
    assert invalid(shop) == []


@pytest.mark.parametrize("statement", ["REINDEX INDEX CONCURRENTLY i", "REINDEX (CONCURRENTLY) TABLE users"])
def test_what_an_interrupted_reindex_left_is_dropped(tmp_path, shop, statement):
    shop.execute("CREATE INDEX i ON users (a)")
    writer = shop.connect(autocommit=False)
    writer.execute("INSERT INTO users VALUES (1, 1)")
    one = shop.connect()
    one.execute("SET lock_timeout = '100ms'")
    with pytest.raises(Exception, match="lock timeout"):
        one.execute("REINDEX INDEX CONCURRENTLY i")
    writer.rollback()
    assert invalid(shop) == ["i_ccnew"]
    run = migrate(building(tmp_path, statement), shop.url())
    assert run.exit_code == 0, run.stderr
    assert [name for (name,) in shop.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'users'")] == [
        "i"
    ]


def test_duplicates_that_stop_a_unique_index_are_told_without_data(tmp_path, shop):
    shop.execute("INSERT INTO users VALUES (4711, 1), (4711, 2)")
    run = migrate(building(tmp_path, "CREATE UNIQUE INDEX CONCURRENTLY i ON users (a)"), shop.url())
    message = run.result.failure.message
    assert run.result.failure.name == "RevisionFailed"
    assert "public.i" in message
    assert "It would fail in the same way: first find the rows" in message
    assert "4711" not in run.stdout + run.stderr
    shop.execute("UPDATE users SET a = b")
    run = migrate(building(tmp_path / "again", "CREATE UNIQUE INDEX CONCURRENTLY i ON users (a)"), shop.url())
    assert run.exit_code == 0, run.stderr
    assert invalid(shop) == []


def test_the_index_of_a_partitioned_table_may_wait_for_those_of_its_partitions(tmp_path, database):
    database.execute(
        "CREATE TABLE events (a int) PARTITION BY RANGE (a);"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
    )
    project = from_template(tmp_path).revision("a1", "op.execute('CREATE INDEX i ON ONLY events (a)')")
    project.revision(
        "a2",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY i_1 ON events_1 (a)")
            op.execute("ALTER INDEX i ATTACH PARTITION i_1")
        """,
    )
    assert migrate(project, database.url(), target="a1").exit_code == 0
    assert migrate(project, database.url()).exit_code == 0
    assert database.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")


@pytest.mark.parametrize("role", ["", "hw_builder"])
def test_an_index_that_another_session_is_building_is_waited_for_and_kept(tmp_path, shop, role):
    url = shop.url()
    if role:
        shop.execute(f"DROP ROLE IF EXISTS {role}")
        shop.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'hw'; GRANT ALL ON SCHEMA public TO {role}")
        shop.execute(f"ALTER TABLE users OWNER TO {role}")
        name, password = url.split("//")[1].split("@")[0].split(":")
        url = url.replace(f"{name}:{password}@", f"{role}:hw@")
    writer = shop.connect(autocommit=False)
    writer.execute("INSERT INTO users VALUES (1, 1)")
    import threading

    other = shop.connect()
    thread = threading.Thread(target=lambda: other.execute("CREATE INDEX CONCURRENTLY i ON users (a)"))
    thread.start()
    wait_until(lambda: invalid(shop), what="the other session's index")
    oid = shop.scalar("SELECT 'i'::regclass::oid")
    project = building(tmp_path, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a)")
    running = start(project, request_for(database_request()), {"main": url})
    wait_until(
        lambda: any("is building the index public.i: waiting" in one.message for one in running.events()
                    if isinstance(one, Notice)),
        what="the notice",
    )  # fmt: skip
    writer.rollback()
    run = running.finish()
    thread.join(30)
    assert run.exit_code == 0, run.stderr
    assert shop.scalar("SELECT 'i'::regclass::oid") == oid
    assert invalid(shop) == []
    if role:
        shop.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


SEEN = "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value"
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%VALIDATE%' "
    "AND pid <> pg_backend_pid() AND now() - query_start > interval '1.5 s'"
)


def with_constraint(database):
    database.execute("CREATE TABLE users (a int); ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0) NOT VALID")
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")
    return holder


def test_a_validation_waits_longer_than_the_lock_timeout_which_is_back_afterwards(tmp_path, database):
    holder = with_constraint(database)
    project = from_template(tmp_path).revision(
        "a1", f"op.execute('ALTER TABLE users VALIDATE CONSTRAINT c')\nop.execute({SEEN!r})"
    )
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=1), {"main": database.url()}
    )
    running.wait_for(RevisionStarted)
    wait_until(lambda: database.scalar(WAITS), what="a validation that waits for longer than the time-out")
    holder.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert "PassRetried" not in run.kinds()
    assert database.rows("SELECT value FROM seen") == [("1s",)]


@pytest.mark.parametrize(
    "first",
    ["op.execute('ALTER TABLE other ADD COLUMN b int')", "op.execute('INSERT INTO other VALUES (1)')",
     "op.execute(\"SET lock_timeout = '1s'\")"],
    ids=["after a lock", "after a write", "after a time-out of its own"],
)  # fmt: skip
def test_a_validation_keeps_the_short_time_out_where_its_waiting_would_hold_others_up(
    tmp_path, database, first
):
    with_constraint(database)
    database.execute("CREATE TABLE other (a int)")
    project = from_template(tmp_path).revision(
        "a1", f"{first}\nop.execute('ALTER TABLE users VALIDATE CONSTRAINT c')"
    )
    run = migrate(project, database.url(), options={"lock_timeout_seconds": 1, "lock_give_up_seconds": 1})
    assert run.result.failure.name == "LockTimeout"
    assert "ALTER TABLE users VALIDATE CONSTRAINT c waited for ShareUpdateExclusiveLock on users" in (
        run.result.failure.message
    )


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "pg8000"])
def test_the_time_out_is_back_after_a_statement_that_failed(tmp_path, shop, driver):
    project = from_template(tmp_path, "async" if driver == "asyncpg" else "generic").revision(
        "a1",
        f"""
        with op.get_context().autocommit_block():
            try:
                op.execute("DROP INDEX CONCURRENTLY no_such_index")
            except sa.exc.DBAPIError:
                pass
            op.execute({SEEN!r})
        """,
    )
    run = migrate(project, shop.url(driver))
    assert run.exit_code == 0, run.stderr
    assert shop.rows("SELECT value FROM seen") == [("2s",)]


def test_a_partition_is_detached_without_the_short_time_out(tmp_path, database):
    database.execute(
        "CREATE TABLE events (a int) PARTITION BY RANGE (a);"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
    )
    reader = database.connect(autocommit=False)
    reader.execute("SELECT * FROM events")
    project = building(tmp_path, "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY")
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=1), {"main": database.url()}
    )
    running.wait_for(RevisionStarted)
    waits = WAITS.replace("VALIDATE", "DETACH")
    wait_until(lambda: database.scalar(waits), what="a detach that waits for longer than the time-out")
    reader.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert database.scalar("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 0
