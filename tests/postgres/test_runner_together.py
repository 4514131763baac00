"""Two runners, then ten, started at once on one database: exactly one applies, the others end well."""

from __future__ import annotations

import pytest

from headway_contract.events import RevisionApplied
from headway_contract.result import Outcome
from support.projects import from_template
from support.runner import database_request, request_for, start

TEMPLATES = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}
OUTER = """
    from alembic import context
    from sqlalchemy import create_engine
    with create_engine(context.config.get_main_option('sqlalchemy.url')).begin() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
KINDS = (
    ("psycopg", "generic", ""),
    ("asyncpg", "async", ""),
    ("psycopg2", "generic", OUTER),
    ("pg8000", "generic", ""),
    ("psycopg", "generic", OUTER),
)


def slow(project):
    """Three revisions that would fail, or apply twice, if two sessions ran them."""
    for number in range(1, 4):
        project.revision(
            f"a{number}", f"op.execute('CREATE TABLE a{number} (id int)')\nop.execute('SELECT pg_sleep(0.3)')"
        )
    return project


def ended_well(runs):
    assert [run.exit_code for run in runs] == [0] * len(runs), "\n".join(run.stderr for run in runs)
    assert all(run.result.outcome is Outcome.SUCCEEDED for run in runs)
    assert all(run.result.to_revision == ("a3",) for run in runs)
    applied = sorted(event.revision for run in runs for event in run.of(RevisionApplied))
    assert applied == ["a1", "a2", "a3"]
    assert sorted(run.result.applied_count for run in runs) == [0] * (len(runs) - 1) + [3]


@pytest.mark.parametrize("number", [2, 10])
@pytest.mark.parametrize("driver", TEMPLATES)
def test_of_runners_started_at_once_exactly_one_applies(tmp_path, database, driver, number):
    project = slow(from_template(tmp_path, TEMPLATES[driver]))
    request = request_for(database_request())
    runs = [start(project, request, {"main": database.url(driver)}) for _ in range(number)]
    ended_well([run.finish() for run in runs])
    assert database.tables() == {"alembic_version", "a1", "a2", "a3"}


def test_of_ten_runners_with_different_drivers_and_env_py_exactly_one_applies(tmp_path, database):
    runs = []
    for number in range(10):
        driver, template, env = KINDS[number % len(KINDS)]
        project = slow(from_template(tmp_path / str(number), template))
        if env:
            project.write_env(env)
        runs.append(start(project, request_for(database_request()), {"main": database.url(driver)}))
    ended_well([run.finish() for run in runs])


def test_a_transaction_of_env_py_that_cannot_see_what_another_run_did_is_begun_again(tmp_path, database):
    database.execute(f"ALTER DATABASE {database.name} SET default_transaction_isolation = 'repeatable read'")
    project = slow(from_template(tmp_path).write_env(OUTER))
    runs = [start(project, request_for(database_request()), {"main": database.url()}) for _ in range(2)]
    ended_well([run.finish() for run in runs])
