"""`headway run` tells what differs from the models after the run, where the resource asks for it."""

from __future__ import annotations

from support.command_line import Headway, resource
from support.projects import from_template

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("status", sa.Integer))
target_metadata = metadata
"""
STATUS = "column users.status is in the models and not in the database"
TOLD = f"1 difference between the database and the models: {STATUS}"


def write(folder, **drift):
    project = from_template(folder).tables("users")
    project.env.write_text(project.env.read_text().replace("target_metadata = None", MODELS))
    (folder / "shop.yaml").write_text(resource({"main": {}}, drift=drift))
    return ["run", "-f", "shop.yaml", "--url", f"main=sqlite:///{folder}/shop.db"]


def test_it_is_told_after_a_run_and_after_one_with_nothing_to_do_and_fails_neither(tmp_path):
    command = write(tmp_path, report="AfterRun")
    first = Headway(tmp_path, *command)
    assert first.wait() == 0, first.out + first.err
    assert TOLD in first.out
    again = Headway(tmp_path, *command, "--output", "json")
    assert again.wait() == 0, again.out + again.err
    (told,) = [item for item in again.items if item["kind"] == "Drift"]
    assert (told["database"], told["count"], told["differences"]) == ("main", 1, [STATUS])


def test_a_plan_alone_compares_nothing(tmp_path):
    command = write(tmp_path, report="AfterRun")
    assert Headway(tmp_path, *command).wait() == 0
    passes = tmp_path / "passes"
    env = tmp_path / "migrations" / "env.py"
    env.write_text(f"with open({str(passes)!r}, 'a') as file:\n    file.write('x')\n{env.read_text()}")
    plan = Headway(tmp_path, "plan", "shop.yaml", *command[3:])
    assert plan.wait() == 0, plan.out + plan.err
    assert passes.read_text() == "x"


def test_the_command_of_an_application_has_no_models_and_is_refused(tmp_path):
    command = write(tmp_path, report="AfterRun")
    (tmp_path / "shop.yaml").write_text(
        resource({"main": {}}, command=["flask", "db", "upgrade"], drift={"report": "AfterRun"})
    )
    run = Headway(tmp_path, *command)
    assert run.wait() == 2
    assert "leave drift.report out" in run.err
