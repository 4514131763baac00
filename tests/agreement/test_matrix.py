"""Every pair of a Python, an Alembic, an SQLAlchemy, a driver and a server, in rows: the same promises in each.

The rows are in `tests/support/matrix/rows.txt`; `--matrix` says how many of them are run.
"""

from __future__ import annotations

import re

import pytest

from headway_contract.events import LockAcquired, RevisionStarted
from headway_contract.exit_codes import ExitCode
from headway_contract.request import Mode
from headway_contract.result import Outcome
from support.commands import URL_OF_THE_CONFIG, admin
from support.matrix.worlds import World
from support.runner import database_request, request_for

HISTORY = {
    "users": """
        op.create_table('users', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(50)))
    """,
    "rows": "op.bulk_insert(sa.table('users', sa.column('name')), [{'name': 'Ada'}, {'name': 'Grace'}])",
    "index": """
        with op.get_context().autocommit_block():
            op.create_index('users_name', 'users', ['name'], postgresql_concurrently={concurrently})
    """,
    "upper": """
        op.execute("UPDATE users SET name = upper(name)")
        with op.batch_alter_table('users') as users:
            users.alter_column('name', existing_type=sa.String(50), nullable=False)
    """,
}
LONG_STATEMENT = {
    "mariadb": "SELECT SLEEP(60)",
    # There SLEEP and BENCHMARK end well when they are cancelled.
    "mysql": "SELECT count(*) FROM information_schema.columns a, information_schema.columns b, "
    "information_schema.columns c",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000000) "
    "SELECT count(*) FROM c",
}
USERS = "SELECT id, name FROM users ORDER BY id"


@pytest.fixture
def world(row, tmp_path):
    return World(row, tmp_path)


@pytest.fixture
def place(servers, row):
    return servers.place(row)


def with_history(row, project):
    """pg8000 cannot build an index concurrently, under plain Alembic either: the server takes it for a pipeline."""
    for name, upgrade in HISTORY.items():
        project.revision(name, upgrade.replace("{concurrently}", str(row.driver != "pg8000")))
    return project


def warnings_in(text):
    """Their categories and texts; an old Alembic under a new SQLAlchemy causes some, which name whoever called it."""
    return {line.split(": ", 1)[1] for line in text.splitlines() if re.search(r":\d+: \w*Warning: ", line)}


def test_a_project_goes_from_empty_to_head_as_with_plain_alembic(servers, row, world, place):
    project = with_history(row, world.project())
    plan = world.run(project, place, request_for(database_request(), mode=Mode.PLAN)).result.plan
    assert [one.revision for one in plan.databases[0].pending] == [*HISTORY]
    assert place.tables() == set()

    run = world.run(project, place)
    assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
    assert (run.result.applied, run.result.to_revision) == (tuple(HISTORY), ("upper",))
    assert len(run.of(LockAcquired)) == 1

    theirs = servers.place(row)
    told = world.plain_alembic(project, theirs)
    assert warnings_in(run.stderr) <= warnings_in(told)
    assert place.catalogue() == theirs.catalogue()
    assert (place.versions(), place.rows(USERS)) == (theirs.versions(), theirs.rows(USERS))

    again = world.run(project, place)
    assert (again.exit_code, again.result.applied_count) == (ExitCode.SUCCEEDED, 0), again.stderr
    assert again.result.from_revision == again.result.to_revision == ("upper",)


def test_a_failing_revision_leaves_what_it_should(row, world, place):
    project = world.project().tables("a1")
    broken = "op.create_table('b1', sa.Column('id', sa.Integer))\nop.execute('SELECT * FROM missing')"
    project.revision("a2", broken).tables("a3")
    run = world.run(project, place)
    assert run.result.outcome is Outcome.FAILED
    assert run.result.to_revision == ("a1",)
    assert run.result.failure.revision == "a2"
    assert place.versions() == ["a1"]
    left = set() if row.is_postgres else {"b1"}
    assert place.tables() == {"a1", "alembic_version"} | left
    assert run.result.failure.name == ("RevisionFailed" if row.is_postgres else "PartiallyApplied")


def test_of_two_runners_at_once_exactly_one_applies(row, world, place):
    project = with_history(row, world.project())
    both = [world.start(project, place) for _ in range(2)]
    runs = [one.finish() for one in both]
    assert sorted(run.result.applied_count for run in runs) == [0, len(HISTORY)]
    assert {run.exit_code for run in runs} == {ExitCode.SUCCEEDED}, [run.stderr for run in runs]
    assert len(place.rows(USERS)) == 2


def test_sigterm_stops_a_long_statement_and_the_next_run_goes_on(row, world, place):
    project = world.project().tables("a1")
    statement = LONG_STATEMENT.get(row.server, "SELECT pg_sleep(60)")
    long = project.revision("a2", f'op.execute("{statement}")')
    running = world.start(long, place, request_for(database_request(), grace_seconds=2))
    running.wait_for(RevisionStarted, revision="a2")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert (run.result.outcome, run.result.to_revision) == (Outcome.STOPPED, ("a1",))
    assert place.versions() == ["a1"]

    project.last = "a1"
    project.revision("a2", "op.execute('SELECT 1')")
    assert world.run(project, place).result.to_revision == ("a2",)


OWN_COMMAND = f"""
{URL_OF_THE_CONFIG}
import pathlib
calls = pathlib.Path("calls")
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
if len(calls.read_text()) != 3:
    command.upgrade(config, "heads")
"""
"""It does not upgrade in its third call, the one in which its run is verified."""


def test_the_applications_own_command_is_attached_and_verified(row, world, place):
    project = world.project().tables("a1", "a2")
    _, program = admin(project, OWN_COMMAND)
    request = request_for(database_request(export_url_as="DATABASE_URL"), command=(world.python, program))
    run = world.run(project, place, request)
    assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
    assert (run.result.applied, run.result.to_revision) == (("a1", "a2"), ("a2",))
    assert len(run.of(LockAcquired)) == 1
    assert place.versions() == ["a2"]
    again = world.run(project, place, request)
    assert (again.exit_code, again.result.applied_count) == (ExitCode.SUCCEEDED, 0), again.stderr


def test_what_a_transaction_of_env_py_takes_back_is_never_a_success(row, world, place):
    """SQLAlchemy 2, and the asynchronous engines of 1.4, begin one for any statement, and nobody commits it."""
    project = world.project().tables("a1", "a2")
    first = r"\1connection.exec_driver_sql('SELECT 1')\1\2"
    project.env.write_text(
        re.sub(r"(\n +)(context\.configure\(\s*connection=)", first, project.env.read_text(), count=1)
    )
    run = world.run(project, place)
    if row.sqlalchemy.startswith("1.4") and row.driver != "asyncpg":
        assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
        assert place.versions() == ["a2"]
        return
    assert run.exit_code == ExitCode.MIGRATION_FAILED, run.stderr
    assert run.result.failure.name == "NotPersisted"
    assert "a transaction that env.py had begun" in run.result.failure.message
    # On MySQL and MariaDB each table commits what came before it, so only the last version row is lost.
    assert run.result.failure.revision == ("a1" if row.driver != "pymysql" else "a2")
    assert not row.is_postgres or place.tables() == set()


def test_a_failure_that_env_py_hides_is_never_a_success(row, world, place):
    project = world.project().tables("a1").revision("a2", "op.execute('SELECT * FROM missing')").tables("a3")
    hiding = r"\n    try:\n        \1\n    except Exception:\n        pass\n"
    changed, count = re.subn(r"\n    (\S*run_migrations_online\(\)+)\n", hiding, project.env.read_text())
    assert count == 1
    project.env.write_text(changed)
    run = world.run(project, place)
    assert run.exit_code == ExitCode.MIGRATION_FAILED, run.stderr
    assert run.result.failure.name == "Swallowed"
    assert run.result.failure.revision == "a2"
    assert "a3" not in place.tables()
