"""A lock that cannot be had: tried again without holding anybody up, and whoever blocks is named."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import make_url

from headway_contract.events import BackfillStarted, Blocked, LockAwaited, PassRetried, RevisionStarted
from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

TEMPLATES = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}
GIVE_UP_AT_ONCE = {"lock_timeout_seconds": 1, "lock_give_up_seconds": 1}


@pytest.fixture
def busy(database):
    """A table with one row."""
    database.execute("CREATE TABLE busy (id int, secret text); INSERT INTO busy VALUES (1, 'x')")
    return database


def altering(folder, template="generic"):
    return from_template(folder, template).revision("a1", "op.execute('ALTER TABLE busy ADD COLUMN a int')")


def reader(database, name="shop-api"):
    """A session that has read the table and keeps its transaction open."""
    connection = database.connect(autocommit=False)
    connection.execute(f"SET application_name = '{name}'")
    connection.commit()
    connection.execute("SELECT * FROM busy WHERE secret = 'S3cret'")
    return connection


def pid(connection):
    return connection.info.backend_pid


@pytest.mark.parametrize("driver", TEMPLATES)
def test_the_give_up_message_names_who_blocks(tmp_path, busy, driver):
    blocker = reader(busy)
    run = migrate(altering(tmp_path, TEMPLATES[driver]), busy.url(driver), options=GIVE_UP_AT_ONCE)
    message = run.result.failure.message
    assert (run.result.failure.name, run.exit_code) == ("LockTimeout", ExitCode.BUSY), run.stderr
    assert "ALTER TABLE busy ADD COLUMN a int waited for AccessExclusiveLock on busy, blocked by" in message
    assert f"session {pid(blocker)} (application shop-api, user {blocker.info.user})" in message
    assert "idle in transaction for" in message
    assert "holds AccessShareLock" in message
    assert "last statement SELECT … FROM busy" in message
    assert "Given up after 1 attempt in" in message
    assert "S3cret" not in run.stdout + run.stderr + message


def test_each_retry_names_who_blocks_and_the_run_ends_well_when_they_are_gone(tmp_path, busy):
    blocker = reader(busy)
    request = request_for(database_request(), lock_timeout_seconds=1)
    running = start(altering(tmp_path), request, {"main": busy.url()})
    running.wait_for(PassRetried)
    blocker.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert f"session {pid(blocker)} (application shop-api" in run.of(PassRetried)[0].reason


def test_readers_go_on_while_a_lock_is_awaited_and_tried_again(tmp_path, busy):
    blocker = reader(busy)
    request = request_for(database_request(), lock_timeout_seconds=1)
    running = start(altering(tmp_path), request, {"main": busy.url()})
    other = busy.connect()
    other.execute("SET statement_timeout = '20s'")
    running.wait_for(RevisionStarted)
    while not any(isinstance(one, PassRetried) and one.attempt == 2 for one in running.events()):
        assert other.execute("SELECT count(*) FROM busy").fetchone() == (1,)
    blocker.rollback()
    assert running.finish().exit_code == 0


def test_what_the_server_hides_from_the_role_is_said_to_be_hidden(tmp_path, busy):
    busy.execute("DROP ROLE IF EXISTS hw_owner")
    busy.execute(
        "CREATE ROLE hw_owner LOGIN PASSWORD 'hw'; GRANT ALL ON SCHEMA public TO hw_owner;"
        "ALTER TABLE busy OWNER TO hw_owner"
    )
    blocker = reader(busy)
    url = make_url(busy.url()).set(username="hw_owner", password="hw")
    run = migrate(altering(tmp_path), url.render_as_string(hide_password=False), options=GIVE_UP_AT_ONCE)
    blocker.rollback()
    busy.execute("DROP OWNED BY hw_owner; DROP ROLE hw_owner")
    message = run.result.failure.message
    assert f"session {pid(blocker)} (application shop-api" in message
    assert "state and statement are hidden from this user (GRANT pg_monitor" in message


def test_a_revision_that_blocks_itself_by_a_second_connection_is_told_so(tmp_path, busy):
    project = from_template(tmp_path).revision(
        "a1",
        """
        op.execute("ALTER TABLE busy ADD COLUMN a int")
        with op.get_bind().engine.connect() as second:
            second.execute(sa.text("SELECT * FROM busy"))
        """,
    )
    run = migrate(project, busy.url(), options=GIVE_UP_AT_ONCE)
    assert run.result.failure.name == "LockTimeout"
    assert "blocked by this run's own session" in run.result.failure.message


def test_a_prepared_transaction_that_blocks_is_named_as_one(tmp_path, busy):
    if busy.scalar("SHOW max_prepared_transactions") == "0":
        # A server that was given and allows none: the words alone are proven then.
        from headway_runner.statements.blockers import Blocker, told

        assert told(Blocker(0)).startswith("a prepared transaction")
        return
    connection = busy.connect(autocommit=False)
    connection.execute("SELECT * FROM busy")
    connection.execute("PREPARE TRANSACTION 'held'")
    connection.commit()
    run = migrate(altering(tmp_path), busy.url(), options=GIVE_UP_AT_ONCE)
    busy.execute("ROLLBACK PREPARED 'held'")
    assert "blocked by a prepared transaction" in run.result.failure.message


@pytest.mark.parametrize("driver", TEMPLATES)
def test_while_a_concurrent_build_waits_it_is_told_for_whom_and_then_it_goes_on(tmp_path, busy, driver):
    project = from_template(tmp_path, TEMPLATES[driver]).revision(
        "a1",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY busy_id ON busy (id)")
        """,
    )
    writer = busy.connect(autocommit=False)
    writer.execute("SET application_name = 'nightly-job'")
    writer.commit()
    writer.execute("UPDATE busy SET secret = 'S3cret'")
    request = request_for(database_request(), lock_timeout_seconds=1)
    running = start(project, request, {"main": busy.url(driver)})
    running.wait_for(Blocked)
    writer.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    first = run.of(Blocked)[0]
    assert f"session {pid(writer)} (application nightly-job" in first.sentence
    assert first.sentence.startswith("CREATE INDEX CONCURRENTLY busy_id ON busy (id) waits for")
    assert "S3cret" not in run.stdout
    assert run.of(PassRetried) == []
    assert busy.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'busy_id'::regclass")


def test_who_holds_the_migration_lock_is_named(tmp_path, database):
    import zlib

    from headway_runner.locks.lock import SPACE

    holder = database.connect()
    holder.execute("SET application_name = 'other-run'")
    key = zlib.crc32(b"None.alembic_version") - 2**31
    holder.execute("SELECT pg_advisory_lock(%s, %s)", (SPACE, key))
    run = migrate(from_template(tmp_path).tables("a1"), database.url(), options={"lock_give_up_seconds": 1})
    named = f"session {pid(holder)} (application other-run, user {holder.info.user}): idle for"
    assert named in run.of(LockAwaited)[0].holder
    assert named in run.result.failure.message
    assert (run.result.failure.name, run.exit_code) == ("LockHeld", ExitCode.BUSY)
    assert database.tables() == set()


def test_a_holder_whose_session_is_just_ending_is_named_by_its_process(tmp_path, database):
    from sqlalchemy import create_engine, text

    from headway_runner.locks.lock import SPACE, PostgresLock

    # As it is for a moment when a run ends: the lock is in pg_locks, the session not in pg_stat_activity.
    database.execute(
        "CREATE SCHEMA between; CREATE VIEW between.pg_stat_activity AS SELECT * FROM pg_catalog.pg_stat_activity"
        " WHERE application_name <> 'ending'"
    )
    ending = database.connect()
    ending.execute("SET application_name = 'ending'")
    ending.execute("SELECT pg_advisory_lock(%s, %s)", (SPACE, 5 - 2**31))
    engine = create_engine(database.url())
    with engine.connect() as connection:
        connection.execute(text("SET search_path = between, pg_catalog"))
        connection.commit()
        assert PostgresLock(connection, 5).holder() == f"session {pid(ending)}"
    engine.dispose()


def test_a_run_that_fills_beside_its_lock_is_told_as_one_that_works(tmp_path, busy):
    busy.execute(
        "INSERT INTO busy SELECT i FROM generate_series(2, 400) i;"
        "ALTER TABLE busy ADD PRIMARY KEY (id), ADD done int"
    )
    slowly = "case when pg_sleep(0.05) IS NULL then 2 else 1 end"
    project = from_template(tmp_path).revision(
        "a1", f"from headway import backfill; backfill('busy', {{'done': '{slowly}'}}, 'done IS NULL')"
    )
    request = request_for(database_request(), lock_give_up_seconds=1)
    first = start(project, replace(request, run="1st"), {"main": busy.url()})
    first.wait_for(BackfillStarted)
    run = start(project, replace(request, run="2nd"), {"main": busy.url()}).finish()
    first.terminate()
    first.finish()
    for said in (run.of(LockAwaited)[0].holder, run.result.failure.message.partition("It is held by ")[2]):
        assert said.startswith("a running Headway, run 1st: session ")
        assert "which keeps the lock for session " in said
        assert "idle" not in said


@pytest.mark.parametrize("driver", TEMPLATES)
def test_others_see_our_sessions_by_name(tmp_path, database, driver):
    project = from_template(tmp_path, TEMPLATES[driver]).revision(
        "a1", "op.execute(\"CREATE TABLE names AS SELECT current_setting('application_name') AS name\")"
    )
    assert migrate(project, database.url(driver)).exit_code == 0
    assert database.scalar("SELECT name FROM names") == "headway:test-run/main"


def test_a_name_that_the_application_gives_its_sessions_is_left_to_it(tmp_path, database):
    project = from_template(tmp_path).revision(
        "a1", "op.execute(\"CREATE TABLE names AS SELECT current_setting('application_name') AS name\")"
    )
    assert migrate(project, database.url() + "?application_name=shop-migrations").exit_code == 0
    assert database.scalar("SELECT name FROM names") == "shop-migrations"


COUNTING = """
from sqlalchemy import event
from sqlalchemy.pool import Pool
event.listen(Pool, "connect", lambda *_: open({path!r}, "a").write("connected\\n"))
"""


@pytest.mark.parametrize(("seconds", "sessions"), [(0, 2), (1.5, 3)])
def test_a_second_session_is_opened_only_for_a_statement_that_takes_long(
    tmp_path, database, seconds, sessions
):
    project = from_template(tmp_path).revision("a1", f"op.execute('SELECT pg_sleep({seconds})')")
    project.env.write_text(COUNTING.format(path=str(tmp_path / "log")) + project.env.read_text())
    run = migrate(project, database.url(), options={"lock_timeout_seconds": 1})
    assert run.exit_code == 0, run.stderr
    # One for each pass through env.py: the look, and the run.
    assert (tmp_path / "log").read_text().count("connected") == sessions


def test_a_side_session_that_cannot_be_opened_costs_only_the_names(tmp_path, busy):
    project = altering(tmp_path)
    project.env.write_text(
        "import threading\nfrom sqlalchemy import event\nfrom sqlalchemy.engine import Engine\n"
        "@event.listens_for(Engine, 'do_connect')\n"
        "def refuse(*_):\n"
        "    if threading.current_thread() is not threading.main_thread():\n"
        "        raise RuntimeError('no more sessions for you')\n" + project.env.read_text()
    )
    reader(busy)
    run = migrate(project, busy.url(), options=GIVE_UP_AT_ONCE)
    assert run.result.failure.name == "LockTimeout"
    assert "Who blocked it could not be asked: RuntimeError: no more sessions" in run.result.failure.message


DEADLOCK = """
op.execute("LOCK TABLE one IN ACCESS EXCLUSIVE MODE")
import pathlib, time
gate = pathlib.Path("gate")
if not gate.exists():
    gate.write_text("")
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
op.execute("SET LOCAL deadlock_timeout = '100ms'")
op.execute("LOCK TABLE two IN ACCESS EXCLUSIVE MODE")
"""


@pytest.mark.parametrize("driver", TEMPLATES)
def test_a_deadlock_is_tried_again(tmp_path, database, driver):
    database.execute("CREATE TABLE one (); CREATE TABLE two ()")
    project = from_template(tmp_path, TEMPLATES[driver]).revision("a1", DEADLOCK)
    other = database.connect(autocommit=False)
    # Whoever looks first finds the deadlock and is its victim.
    other.execute("SET deadlock_timeout = '60s'")
    other.execute("LOCK TABLE two IN ACCESS EXCLUSIVE MODE")
    request = request_for(database_request(), lock_timeout_seconds=20)
    running = start(project, request, {"main": database.url(driver)})
    wait_until((tmp_path / "gate").exists, timeout=60, what="the revision")
    thread = threading.Thread(target=lambda: other.execute("LOCK TABLE one IN ACCESS EXCLUSIVE MODE"))
    thread.start()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    wait_until(lambda: database.scalar(waits), what="the other session's wait")
    (tmp_path / "go").write_text("")
    running.wait_for(PassRetried)
    thread.join(30)
    other.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert "deadlock detected" in run.of(PassRetried)[0].reason


SERIALIZATION = """
import pathlib, time
op.execute("SELECT * FROM busy")
gate = pathlib.Path("gate")
if not gate.exists():
    gate.write_text("")
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
op.execute("UPDATE busy SET id = id + 10")
"""


@pytest.mark.parametrize("driver", TEMPLATES)
def test_a_serialization_failure_is_tried_again(tmp_path, busy, driver):
    busy.execute(f"ALTER DATABASE {busy.name} SET default_transaction_isolation = 'repeatable read'")
    project = from_template(tmp_path, TEMPLATES[driver]).revision("a1", SERIALIZATION)
    running = start(project, request_for(database_request()), {"main": busy.url(driver)})
    wait_until((tmp_path / "gate").exists, timeout=60, what="the revision")
    busy.execute("UPDATE busy SET id = 5")
    (tmp_path / "go").write_text("")
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert "could not serialize" in run.of(PassRetried)[0].reason
    assert busy.rows("SELECT id FROM busy") == [(15,)]


@pytest.mark.parametrize("driver", TEMPLATES)
def test_nothing_is_tried_again_after_a_part_was_committed(tmp_path, busy, driver):
    reader(busy)
    project = from_template(tmp_path, TEMPLATES[driver]).revision(
        "a1",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE TABLE stays ()")
        op.execute("ALTER TABLE busy ADD COLUMN a int")
        """,
    )
    run = migrate(project, busy.url(driver), options={"lock_timeout_seconds": 1})
    assert run.result.failure.name == "PartiallyApplied"
    assert run.of(PassRetried) == []
    message = run.result.failure.message
    assert "blocked by session" in message
    assert "still there: CREATE TABLE stays" in message


A_SESSION_FOR_EACH_TRY = """
    from alembic import context
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ProgrammingError

    URL = context.config.get_main_option("sqlalchemy.url")
    engines = [create_engine(URL), create_engine(URL)]
    for engine in engines:
        try:
            with engine.{begin}() as connection:
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()
        except ProgrammingError:
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE late (id int)")
"""


@pytest.mark.parametrize("begin", ["connect", "begin"])
def test_an_env_py_that_tries_again_in_another_session_does_not_wait_for_its_own_lock(
    tmp_path, database, begin
):
    """The first session is in its pool by then, and alive."""
    project = from_template(tmp_path).revision("a1", "op.execute('INSERT INTO late VALUES (1)')")
    project.write_env(A_SESSION_FOR_EACH_TRY.format(begin=begin))
    run = migrate(project, database.url(), options={"lock_give_up_seconds": 1})
    assert run.exit_code == 0, run.stderr
    assert (run.kinds().count("LockAcquired"), run.kinds().count("LockAwaited")) == (2, 0)


def test_nothing_is_tried_again_after_an_earlier_revision_of_the_transaction_committed_a_part(tmp_path, busy):
    """Its version row is undone with the later one, so it would run again over what it has left."""
    project = (
        from_template(tmp_path)
        .use_env("explicit_transactions")
        .revision("a1", "with op.get_context().autocommit_block(): op.execute('CREATE TABLE stays ()')")
    )
    project.revision("a2", "op.execute('ALTER TABLE busy ADD COLUMN a int')")
    blocker = reader(busy)
    wish = {"CONFIGURE": "{'transaction_per_migration': False}"}
    run = migrate(project, busy.url(), wish, options={"lock_timeout_seconds": 1})
    blocker.rollback()
    assert run.result.failure.name == "PartiallyApplied", run.result.failure
    assert "Committed before that and still there: CREATE TABLE stays ()" in run.result.failure.message
    assert (run.of(PassRetried), run.result.to_revision) == ([], ())
