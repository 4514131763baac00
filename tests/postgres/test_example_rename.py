"""The example of expand, deploy and contract: typed as its README has it, with old and new code in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.command_line import Headway

RENAME = Path(__file__).parents[2] / "examples" / "rename"


@pytest.fixture
def example(tmp_path):
    return Path(shutil.copytree(RENAME, tmp_path / "rename", ignore=shutil.ignore_patterns("__pycache__")))


def typed(example, database, command):
    program, *arguments = command.split()
    assert program == "headway"
    run = Headway(example, *arguments, environment={"MAIN_URL": database.url()})
    assert run.wait() == 0, run.out + run.err
    return run.out


def columns(database):
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = 'users'"
    return {name for (name,) in database.rows(asked)}


def test_old_and_new_code_run_side_by_side_between_the_two_commands_of_the_readme(example, database):
    readme = (example / "README.md").read_text()
    expand, contract = (
        line.removeprefix("$ ").partition("  #")[0].strip()
        for line in readme.splitlines()
        if line.startswith("$ headway run")
    )
    database.execute("CREATE TABLE users (id serial PRIMARY KEY, name varchar(255) NOT NULL)")
    database.execute("INSERT INTO users (name) VALUES ('Ada')")
    database.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    database.execute("INSERT INTO alembic_version VALUES ('create_users')")

    assert "the application may roll out; 1 revision waits" in typed(example, database, expand)
    database.execute("INSERT INTO users (name) VALUES ('of old code')")
    database.execute("INSERT INTO users (full_name) VALUES ('of new code')")
    rows = database.rows("SELECT name, full_name FROM users ORDER BY id")
    assert rows == [(name, name) for name in ("Ada", "of old code", "of new code")]

    told = typed(example, database, contract)
    assert columns(database) == {"id", "full_name"}
    assert "no difference between the database and the models" in told


def test_an_empty_database_goes_to_head_in_one_run(example, database):
    typed(example, database, "headway run -f migration.yaml --url main=env:MAIN_URL")
    assert columns(database) == {"id", "full_name"}


def test_the_lint_finds_nothing_in_it(example):
    run = Headway(example, "lint", "--level", "warning")
    assert run.wait() == 0, run.out + run.err
