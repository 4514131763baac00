"""A pooler between the runner and the database: where it lends a server by the transaction, a lock is no lock."""

import psycopg
import pytest

from support.commands import URL_OF_THE_CONFIG, admin, attach, start_attached
from support.projects import from_template
from support.runner import database_request, migrate, plan, request_for, start
from support.system_servers import pgbouncer
from support.waiting import wait_until

DRIVERS = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}


@pytest.mark.parametrize("planned", [False, True], ids=["no plan", "planned"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_transaction_pooler_is_refused_before_anything_is_written(
    public_tmp_path, database, driver, planned
):
    project = from_template(public_tmp_path / "project", DRIVERS[driver]).revision(
        "a1", "op.execute('CREATE TABLE users (id int)')"
    )
    expected = None
    if planned:
        expected = plan(project, {"main": database.url(driver)}).result.plan.databases[0].planned
    folder = public_tmp_path / "pooler"
    folder.mkdir()
    with pgbouncer(folder, database.address) as pooled:
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        url = pooled.replace("postgresql://", f"postgresql+{driver}://")
        # The server's session has what the first client has prepared when the second comes.
        runs = [migrate(project, url, planned=expected) for _ in "12"]
    for run in runs:
        assert run.result.failure.name == "PoolerDetected", run.stderr
        assert run.exit_code == 78
    assert database.tables() == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_behind_a_session_pooler_two_runners_at_once_end_well(public_tmp_path, database, driver):
    project = from_template(public_tmp_path / "project", DRIVERS[driver]).tables("a1", "a2")
    folder = public_tmp_path / "pooler"
    folder.mkdir()
    with pgbouncer(folder, database.address, "session") as pooled:
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        url = pooled.replace("postgresql://", f"postgresql+{driver}://")
        both = [start(project, request_for(database_request()), {"main": url}) for _ in range(2)]
        runs = [one.finish() for one in both]
    assert sorted(run.result.applied_count for run in runs) == [0, 2], [run.stderr for run in runs]
    assert {run.exit_code for run in runs} == {0}


def command_of(project):
    return admin(project, f"{URL_OF_THE_CONFIG}\ncommand.upgrade(config, 'heads')")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_command_behind_a_transaction_pooler_is_refused_before_it_writes(public_tmp_path, database, driver):
    project = from_template(public_tmp_path / "project", DRIVERS[driver]).tables("a1")
    folder = public_tmp_path / "pooler"
    folder.mkdir()
    with pgbouncer(folder, database.address) as pooled:
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        url = pooled.replace("postgresql://", f"postgresql+{driver}://")
        run = attach(project, url, command_of(project))
    assert run.result.failure.name == "PoolerDetected", run.stderr
    assert run.exit_code == 78
    assert database.tables() == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_command_behind_a_session_pooler_goes_to_head_and_of_two_one_applies(
    public_tmp_path, database, driver
):
    project = from_template(public_tmp_path / "project", DRIVERS[driver]).tables("a1", "a2")
    folder = public_tmp_path / "pooler"
    folder.mkdir()
    with pgbouncer(folder, database.address, "session") as pooled:
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        url = pooled.replace("postgresql://", f"postgresql+{driver}://")
        command = command_of(project)
        runs = [one.finish() for one in [start_attached(project, url, command) for _ in range(2)]]
    assert {run.exit_code for run in runs} == {0}, [run.stderr for run in runs]
    assert sorted(run.result.applied_count for run in runs) == [0, 2]
    assert database.rows("SELECT version_num FROM alembic_version") == [("a2",)]


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
