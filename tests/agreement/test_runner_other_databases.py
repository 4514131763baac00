"""An env.py that goes through several databases itself: a plan tells of those that nobody has listed."""

from __future__ import annotations

import sqlite3

from headway_contract.request import Mode
from support.projects import from_template
from support.runner import database_request, request_for, run_runner

ENV = """
    from alembic import context
    from sqlalchemy import create_engine

    for name in {names!r}:
        with create_engine(f"sqlite:///{{name}}.db").connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
"""


def plan(folder, *listed, **of_each):
    project = from_template(folder / "project").tables("a1").write_env(ENV.format(names=("shop", "audit")))
    request = request_for(*(database_request(name, **of_each) for name in listed), mode=Mode.PLAN)
    run = run_runner(project, request, {name: f"sqlite:///{name}.db" for name in listed})
    assert run.exit_code == 0, run.stderr
    return project.folder, run.result.plan.databases


def test_a_database_that_nobody_lists_is_told_by_its_name(tmp_path):
    folder, (shop,) = plan(tmp_path, "shop")
    assert (len(shop.notices), shop.warnings) == (1, 1)
    assert (
        f"also configures contexts of {folder}/audit.db, which the resource does not have" in shop.notices[0]
    )
    connection = sqlite3.connect(folder / "audit.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_databases_that_are_listed_are_told_of_in_no_plan(tmp_path):
    _, databases = plan(tmp_path, "shop", "audit")
    assert [one.notices for one in databases] == [(), ()]
