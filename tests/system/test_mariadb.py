"""MariaDB and MySQL: DDL commits by itself there, and the lock is one of the server's names."""

import threading

import pymysql
import pytest
from sqlalchemy.engine import make_url

from headway_contract.events import LockAwaited, PassRetried, RevisionStarted
from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, plan, request_for, start
from support.waiting import wait_until

AT_THE_GATE = """
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""


@pytest.fixture
def shop(public_tmp_path, mysql_url):
    """A project of two revisions and an empty database."""
    project = from_template(public_tmp_path / "project", "generic")
    project.revision("a1", "op.execute('CREATE TABLE users (id int)')")
    project.revision("a2", f"{AT_THE_GATE}\nop.execute('INSERT INTO users VALUES (1)')")
    (project.folder / "go").touch()
    return project, mysql_url


def is_waiting(runner) -> bool:
    """For the lock that another one has."""
    return any(isinstance(event, LockAwaited) for event in runner.events())


def connect(url: str) -> pymysql.Connection:
    """A session of the test's own."""
    parts = make_url(url)
    return pymysql.connect(host=parts.host, port=parts.port, user="root", database="shop")


def rows(url: str, query: str) -> tuple:
    """The rows of a query in a session of its own."""
    with connect(url) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()


def test_a_project_goes_to_head(shop):
    project, url = shop
    run = migrate(project, url)
    assert run.result.to_revision == ("a2",), run.stderr
    assert rows(url, "SELECT version_num FROM alembic_version") == (("a2",),)


def test_a_project_is_held_to_its_plan_before_a_version_table_is_made(shop):
    project, url = shop
    expected = plan(project, {"main": url}).result.plan.databases[0].planned
    another = project.folder / project.scripts / "versions" / "a3.py"
    project.revision("a3")
    refused = migrate(project, url, planned=expected)
    assert refused.result.failure.name == "PlanChanged", refused.stderr
    assert rows(url, "SHOW TABLES") == ()
    another.unlink()
    run = migrate(project, url, planned=expected)
    assert run.result.to_revision == ("a2",), run.stderr
    assert run.kinds()[:3] == ["RunStarted", "DatabaseReached", "LockAcquired"]


@pytest.mark.parametrize("number", [2, 10])
def test_of_runners_at_once_exactly_one_applies(shop, number):
    project, url = shop
    request = request_for(database_request())
    (project.folder / "go").unlink()
    running = [start(project, request, {"main": url}) for _ in range(number)]
    wait_until(lambda: any(map(is_waiting, running)), timeout=120, what="a runner that waits for the other")
    (project.folder / "go").touch()
    runs = [one.finish() for one in running]
    assert [run.exit_code for run in runs] == [0] * number
    assert sorted(run.result.applied_count for run in runs) == [0] * (number - 1) + [2]
    awaited = [event.holder for run in runs for event in run.of(LockAwaited)]
    assert awaited
    assert any("user root" in holder for holder in awaited)
    assert rows(url, "SELECT count(*) FROM users") == ((1,),)


BLOCKED = {
    "rows": ("UPDATE busy SET id = 2", "UPDATE busy SET id = 3"),
    "metadata": ("ALTER TABLE busy ADD COLUMN a int", "SELECT * FROM busy"),
}


@pytest.mark.parametrize("kind", BLOCKED)
def test_a_lock_that_cannot_be_had_is_tried_again_and_who_blocks_is_named(shop, mysql_kind, kind):
    project, url = shop
    statement, blocking = BLOCKED[kind]
    rows(url, "CREATE TABLE busy (id int)")
    with connect(url) as one:
        one.cursor().execute("INSERT INTO busy VALUES (1)")
        one.commit()
    project.revision("a3", f"op.execute({statement!r})")
    with connect(url) as blocker:
        blocker.begin()
        blocker.cursor().execute(blocking)
        running = start(project, request_for(database_request(), lock_timeout_seconds=1), {"main": url})
        running.wait_for(PassRetried)
        blocker.rollback()
        run = running.finish()
        named = f"session {blocker.thread_id()} (user root)"
    assert run.exit_code == 0, run.stderr
    reason = run.of(PassRetried)[0].reason
    # MariaDB without the performance schema tells of metadata locks neither holders nor what they hold.
    is_told = kind == "rows" or mysql_kind == "mysql"
    assert named in reason or not is_told, reason
    assert ("the server does not tell by whom" in reason) is not is_told, reason


def test_what_a_definition_committed_is_no_ground_for_another_try(shop):
    """The INSERT before it is committed by the ALTER that could not be made."""
    project, url = shop
    rows(url, "CREATE TABLE busy (id int)")
    project.revision(
        "a3", "op.execute('INSERT INTO busy VALUES (7)')\nop.execute('ALTER TABLE busy ADD a int')"
    )
    with connect(url) as blocker:
        blocker.begin()
        blocker.cursor().execute("SELECT * FROM busy")
        options = {"lock_timeout_seconds": 1, "lock_give_up_seconds": 60}
        run = migrate(project, url, options=options)
    assert (run.result.failure.name, run.exit_code) == ("PartiallyApplied", ExitCode.MIGRATION_FAILED)
    assert "still there: INSERT INTO busy." in run.result.failure.message
    assert rows(url, "SELECT count(*) FROM busy") == ((1,),)


def test_a_deadlock_is_tried_again(shop):
    project, url = shop
    rows(url, "CREATE TABLE one (id int PRIMARY KEY, n int)")
    rows(url, "CREATE TABLE two (id int PRIMARY KEY, n int)")
    with connect(url) as first:
        for number in range(100):
            first.cursor().execute(f"INSERT INTO two VALUES ({number}, 0)")
        first.cursor().execute("INSERT INTO one VALUES (1, 0)")
        first.commit()
    project.revision(
        "a3",
        """
        op.execute("UPDATE one SET n = 1")
        import pathlib, time
        gate = pathlib.Path("gate")
        if not gate.exists():
            gate.write_text("")
            while not pathlib.Path("go").exists():
                time.sleep(0.05)
        op.execute("UPDATE two SET n = 1")
        """,
    )
    with connect(url) as other:
        other.begin()
        # It has changed more rows, so the server makes the run the victim.
        other.cursor().execute("UPDATE two SET n = 2")
        running = start(project, request_for(database_request(), lock_timeout_seconds=20), {"main": url})
        wait_until((project.folder / "gate").exists, timeout=60, what="the revision")
        thread = threading.Thread(target=lambda: other.cursor().execute("UPDATE one SET n = 2"))
        thread.start()
        # A counter: tables of information_schema are not read anew for who asks more often than ten times a second.
        waits = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
        wait_until(lambda: int(rows(url, waits)[0][1]), what="the other session's wait")
        (project.folder / "go").write_text("")
        running.wait_for(PassRetried)
        thread.join(30)
        other.rollback()
        run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert "Deadlock" in run.of(PassRetried)[0].reason


def test_a_session_waits_shortly_for_tables_and_for_rows(shop):
    project, url = shop
    project.revision(
        "a3", "op.execute('CREATE TABLE noted SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout')"
    )
    run = migrate(project, url, options={"lock_timeout_seconds": 7})
    assert run.exit_code == 0, run.stderr
    assert rows(url, "SELECT * FROM noted") == ((7, 7),)


def test_a_run_in_another_database_of_the_server_is_not_waited_for(shop):
    project, url = shop
    rows(url, "CREATE DATABASE other")
    (project.folder / "go").unlink()
    running = start(project, request_for(database_request()), {"main": url})
    running.wait_for(RevisionStarted, revision="a2")
    elsewhere = from_template(project.folder / "elsewhere").revision("b1", "op.execute('SELECT 1')")
    run = migrate(elsewhere, url.replace("/shop", "/other"))
    assert (run.exit_code, run.of(LockAwaited)) == (0, []), run.stderr
    (project.folder / "go").touch()
    assert running.finish().exit_code == 0


STAYING = """
            context.run_migrations()
        import pathlib, time
        if pathlib.Path("stay").exists():
            pathlib.Path("staying").touch()
            while not pathlib.Path("leave").exists():
                time.sleep(0.05)
"""


def test_the_lock_is_free_when_the_revisions_are_done_although_env_py_keeps_its_connection(shop):
    project, url = shop
    before, _, after = project.env.read_text().rpartition("\n            context.run_migrations()\n")
    project.env.write_text(before + STAYING + after)
    project.revision("a3", "import pathlib\npathlib.Path('stay').touch()")
    staying = start(project, request_for(database_request()), {"main": url})
    wait_until((project.folder / "staying").exists, timeout=60, what="env.py behind its revisions")
    (project.folder / "stay").unlink()
    project.revision("a4", "op.execute('SELECT 1')")
    run = migrate(project, url, options={"lock_give_up_seconds": 20})
    assert (run.exit_code, run.of(LockAwaited)) == (0, []), run.stderr
    assert run.result.applied == ("a4",)
    (project.folder / "leave").touch()
    staying.finish()


TENANTS = """
    import zlib
    from alembic import context
    from sqlalchemy import create_engine
    from headway_runner.locks.mysql_lock import MySqlLock

    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))

    def note():
        with engine.connect() as beside, open("seen", "a") as seen:
            holder = MySqlLock(beside, zlib.crc32(b"None.alembic_version")).holder()
            print("held" if holder else "free", file=seen)

    with engine.begin() as connection:
        for table in ("alembic_version", "another_version", "third_version"):
            context.configure(connection=connection, version_table=table)
            with context.begin_transaction():
                context.run_migrations()
        note()
    note()
"""


def test_the_lock_is_kept_until_env_py_has_committed_its_own_transaction(public_tmp_path, mysql_url):
    """The looks before and after take none."""
    project = from_template(public_tmp_path / "project", "generic")
    project.revision("a1", "op.execute('CREATE TABLE IF NOT EXISTS users (id int)')")
    project.write_env(TENANTS)
    run = migrate(project, mysql_url)
    assert run.exit_code == 0, run.stderr
    assert (project.folder / "seen").read_text().split() == ["free"] * 2 + ["held", "free"] + ["free"] * 2


def test_an_env_py_that_goes_on_after_a_failure_does_not_wait_for_its_own_lock(public_tmp_path, mysql_url):
    project = from_template(public_tmp_path / "project", "generic")
    project.revision("a1", "op.execute('INSERT INTO late VALUES (1)')")
    project.write_env("""
        from alembic import context
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ProgrammingError

        engines = [create_engine(context.config.get_main_option("sqlalchemy.url")) for _ in range(2)]
        for engine in engines:
            try:
                with engine.connect() as connection:
                    context.configure(connection=connection)
                    with context.begin_transaction():
                        context.run_migrations()
            except ProgrammingError:
                with engine.begin() as connection:
                    connection.exec_driver_sql("CREATE TABLE late (id int)")
    """)
    run = migrate(project, mysql_url, options={"lock_give_up_seconds": 1})
    assert run.exit_code == 0, run.stderr
    assert (run.kinds().count("LockAcquired"), run.kinds().count("LockAwaited")) == (2, 0)
