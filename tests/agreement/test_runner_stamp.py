"""A command that stamps: looks write nothing, also where Alembic would empty the version table first."""

from __future__ import annotations

import sqlite3

import pytest

from headway_contract.request import Mode
from support.commands import admin, application, variables
from support.runner import database_request, request_for, run_runner

ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine

    with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.db"


def do(project, file, body, mode=Mode.MIGRATE):
    request = request_for(
        database_request(export_url_as="DATABASE_URL"),
        mode=mode,
        command=admin(project, body),
        tells_facts=True,
    )
    return run_runner(project, request, {"main": f"sqlite:///{file}"}, **variables())


def project_of(folder):
    return application(folder / "project", ENV).tables("a1", "a2")


def versions(file):
    connection = sqlite3.connect(file)
    found = [version for (version,) in connection.execute("SELECT version_num FROM alembic_version")]
    connection.close()
    return found


@pytest.mark.parametrize("purge", ["", ", purge=True"])
def test_a_stamp_is_planned_without_a_word_of_what_it_would_run_and_then_noted(tmp_path, file, purge):
    project = project_of(tmp_path)
    done = do(project, file, "command.upgrade(config, 'a1')")
    assert done.exit_code == 0, done.stderr
    stamp = f"command.stamp(config, 'a2'{purge})"
    planned = do(project, file, stamp, Mode.PLAN)
    assert planned.exit_code == 0, planned.stderr
    (plan,) = planned.result.plan.databases
    assert [one.revision for one in plan.pending] == ["a2"]
    assert plan.facts.revisions == ()
    assert versions(file) == ["a1"]
    run = do(project, file, stamp)
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert versions(file) == ["a2"]
    again = do(project, file, stamp)
    assert (again.exit_code, again.result.applied) == (0, ()), again.stderr


def test_a_purging_stamp_leads_out_of_revisions_that_nobody_knows(tmp_path, file):
    project = project_of(tmp_path)
    do(project, file, "command.upgrade(config, 'a1')")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    connection.commit()
    connection.close()
    do(project, file, "command.stamp(config, 'a2', purge=True)", Mode.PLAN)
    assert versions(file) == ["ffff"]
    run = do(project, file, "command.stamp(config, 'a2', purge=True)")
    assert run.exit_code == 0, run.stderr
    assert versions(file) == ["a2"]
