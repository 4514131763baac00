"""A command that was planned does what the plan showed, or a rest of it, or nothing."""

from __future__ import annotations

import pytest

from headway_contract.events import RevisionApplied
from headway_contract.result import Outcome
from support.commands import admin, application, attach, attach_plan

TWO_TARGETS = "command.upgrade(config, 'a1')\ncommand.upgrade(config, 'heads')"


@pytest.fixture
def project(tmp_path):
    return application(tmp_path).tables("a1", "a2")


def planned(project, database, command):
    run = attach_plan(project, database.url(), command)
    assert run.exit_code == 0, run.stderr
    return run.result.plan.databases[0].planned


def refused(run):
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == "PlanChanged", run.stderr
    assert run.of(RevisionApplied) == []
    return run.result.failure.message


def test_a_command_with_two_targets_does_what_was_planned(project, database):
    command = admin(project, TWO_TARGETS)
    run = attach(project, database.url(), command, planned=planned(project, database, command))
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1", "a2")


def test_a_rest_of_the_plan_is_done(project, database):
    command = admin(project, TWO_TARGETS)
    expected = planned(project, database, command)
    assert (
        attach(project, database.url(), admin(project, "command.upgrade(config, 'a1')", "once.py")).exit_code
        == 0
    )
    run = attach(project, database.url(), command, planned=expected)
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a2",)


@pytest.mark.parametrize("change", ["content", "another", "target"])
def test_files_or_targets_that_differ_from_the_plan_are_refused(project, database, change):
    command = admin(project)
    expected = planned(project, database, command)
    if change == "content":
        path = project.folder / project.scripts / "versions" / "a1.py"
        path.write_text(path.read_text().replace("'a1', sa", "'a1_changed', sa"))
    elif change == "another":
        project.tables("a3")
    else:
        command = admin(project, "command.upgrade(config, 'a1')")
    message = refused(attach(project, database.url(), command, planned=expected))
    assert "not those that were planned" in message
    assert database.tables() == set()


def test_what_a_command_did_not_show_in_the_look_is_refused_under_the_lock(project, database):
    body = "import pathlib\nlook = pathlib.Path('look')\ntarget = 'a1' if look.exists() else 'a2'\n"
    command = admin(project, f"{body}look.unlink(missing_ok=True)\ncommand.upgrade(config, target)")
    look = project.folder / "look"
    look.touch()
    expected = planned(project, database, command)
    look.touch()
    message = refused(attach(project, database.url(), command, planned=expected))
    assert "also run a2, which was not planned" in message
    assert database.tables() == set()
