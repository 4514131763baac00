"""`headway init`, then the command that it ends with, then a run: from a project to its head without an editor."""

from __future__ import annotations

import shlex

import pytest

from support.command_line import Headway
from support.first_projects import SHAPES

TABLES = {"generic": {"a1"}, "pyproject_alone": {"a1"}, "two_heads": {"a1", "b1"}}


def init(folder):
    run = Headway(folder, "init")
    assert run.wait() == 0, run.err
    next_command = run.out.splitlines()[-1].removeprefix("Next: headway ")
    return shlex.split(next_command)


@pytest.mark.parametrize("shape", TABLES)
def test_the_next_command_plans_and_a_run_of_the_same_file_goes_to_the_head(shape, tmp_path, database):
    SHAPES[shape](tmp_path)
    plan, urls = init(tmp_path), {"MAIN_URL": database.url()}
    planned = Headway(tmp_path, *plan, environment=urls)
    assert planned.wait() == 0, planned.out + planned.err
    assert "CREATE TABLE a1" in planned.out
    run = Headway(tmp_path, "run", "-f", *plan[1:], environment=urls)
    assert run.wait() == 0, run.out + run.err
    assert TABLES[shape] <= database.tables()


@pytest.mark.parametrize("shape", ["sections", "branches"])
def test_several_databases_are_planned_each_from_its_own_url(shape, tmp_path, make_database):
    SHAPES[shape](tmp_path)
    urls = {
        f"{name.upper()}_URL": make_database(f"init_{name}").url() for name in ("main", "analytics", "audit")
    }
    planned = Headway(tmp_path, *init(tmp_path), environment=urls)
    assert planned.wait() == 0, planned.out + planned.err
    assert "revisions in 3 databases" in planned.out
