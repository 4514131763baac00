"""A pooler between the runner and the database: a session lock is no lock there."""

import psycopg
import pytest

from support.projects import from_template
from support.runner import migrate
from support.system_servers import pgbouncer
from support.waiting import wait_until


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_transaction_pooler_is_refused_before_anything_is_written(public_tmp_path, database, driver):
    project = from_template(public_tmp_path / "project", "generic").revision(
        "a1", "op.execute('CREATE TABLE users (id int)')"
    )
    folder = public_tmp_path / "pooler"
    folder.mkdir()
    with pgbouncer(folder, database.address) as pooled:
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        run = migrate(project, pooled.replace("postgresql://", f"postgresql+{driver}://"))
    assert run.result.failure.name == "PoolerDetected"
    assert run.exit_code == 78
    assert database.tables() == set()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
