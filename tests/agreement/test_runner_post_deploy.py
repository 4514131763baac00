"""Revisions marked `post_deploy = True`: the part before the gate leaves the trailing ones, the whole runs them."""

from __future__ import annotations

import sqlite3

import pytest

from headway_contract.events import Notice
from headway_contract.request import Part, WhenAhead
from support.commands import admin, application, attach, attach_plan
from support.projects import from_template
from support.runner import migrate, plan

MARK = "post_deploy = True"
BEFORE = {"part": Part.BEFORE_DEPLOY}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "app.db"


@pytest.fixture
def project(tmp_path):
    return from_template(tmp_path / "project")


def tables(file):
    connection = sqlite3.connect(file)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names - {"alembic_version"}


def planned(project, url, **options):
    return plan(project, {"main": url}, **options).result.plan.databases[0]


def test_the_plan_says_which_revisions_wait(project, file):
    project.tables("a1", "a2").tables("a3", "a4", mark=MARK)
    shown = planned(project, f"sqlite:///{file}")
    assert [(one.revision, one.post_deploy) for one in shown.pending] == [
        ("a1", False),
        ("a2", False),
        ("a3", True),
        ("a4", True),
    ]
    assert shown.notices == ()


@pytest.mark.parametrize(
    ("target", "is_planned"),
    [("heads", True), ("heads", False), ("head", True), ("a4", False), ("+4", True)],
)
def test_before_the_gate_the_trailing_ones_are_left_and_behind_it_they_run(project, file, target, is_planned):
    project.tables("a1", "a2").tables("a3", "a4", mark=MARK)
    url = f"sqlite:///{file}"
    held_to = planned(project, url, target=target).planned if is_planned else None
    first = migrate(project, url, options=BEFORE, target=target, planned=held_to)
    assert first.exit_code == 0, first.stderr
    assert tables(file) == {"a1", "a2"}
    assert first.result.to_revision == ("a2",)
    assert (first.result.pending_count, first.result.post_deploy_count) == (0, 2)
    again = migrate(project, url, options=BEFORE, target=target, planned=held_to)
    assert (again.exit_code, again.result.applied_count, again.result.post_deploy_count) == (0, 0, 2)
    rest = migrate(project, url, target=target, planned=held_to)
    assert rest.exit_code == 0, rest.stderr
    assert rest.result.applied == ("a3", "a4")
    assert rest.result.post_deploy_count == 0
    assert tables(file) == {"a1", "a2", "a3", "a4"}


def test_each_branch_leaves_its_own_trailing_revisions(project, file):
    project.tables("a1", after=None).tables("a2", mark=MARK)
    project.tables("b1", after=None).tables("b2")
    run = migrate(project, f"sqlite:///{file}", options=BEFORE)
    assert run.exit_code == 0, run.stderr
    assert tables(file) == {"a1", "b1", "b2"}
    assert run.result.post_deploy_count == 1


def test_what_an_unmarked_revision_depends_on_does_not_wait(project, file):
    project.tables("a1", after=None).tables("a2", mark=MARK, label="shop")
    project.tables("b1", after=None, depends_on="shop")
    run = migrate(project, f"sqlite:///{file}", options=BEFORE)
    assert run.exit_code == 0, run.stderr
    assert tables(file) == {"a1", "a2", "b1"}
    assert run.result.post_deploy_count == 0


def test_a_marked_revision_in_the_middle_runs_in_its_place_and_is_named(project, file):
    project.tables("a1").tables("a2", mark=MARK).tables("a3").tables("a4", mark=MARK)
    url = f"sqlite:///{file}"
    assert [notice for notice in planned(project, url).notices if "a2" in notice and "in its place" in notice]
    run = migrate(project, url, options=BEFORE)
    assert run.exit_code == 0, run.stderr
    assert tables(file) == {"a1", "a2", "a3"}
    assert [one.warning for one in run.of(Notice) if "a2" in one.message] == [True]
    assert not [one for one in run.of(Notice) if "a4" in one.message]


def test_a_mark_that_is_neither_true_nor_false_is_refused_and_named(project, file):
    project.tables("a1", mark="post_deploy = 'later'")
    run = migrate(project, f"sqlite:///{file}", options=BEFORE)
    assert run.result.failure.name == "InvalidHistory"
    assert "a1" in run.result.failure.message
    assert "True or False" in run.result.failure.message
    assert tables(file) == set()


def test_on_the_way_down_the_mark_means_nothing(project, file):
    project.tables("a1").tables("a2", mark=MARK)
    url = f"sqlite:///{file}"
    assert migrate(project, url).exit_code == 0
    down = {"when_ahead": WhenAhead.DOWNGRADE}
    held_to = planned(project, url, target="a1", options=down).planned
    run = migrate(project, url, options={**down, **BEFORE}, target="a1", planned=held_to)
    assert run.exit_code == 0, run.stderr
    assert tables(file) == {"a1"}


def test_a_command_of_the_application_leaves_the_trailing_ones_and_runs_them_later(tmp_path, file):
    project = application(tmp_path / "project").tables("a1").tables("a2", mark=MARK)
    url, command = f"sqlite:///{file}", admin(project)
    held_to = attach_plan(project, url, command).result.plan.databases[0].planned
    first = attach(project, url, command, BEFORE, planned=held_to)
    assert first.exit_code == 0, first.stderr
    assert tables(file) == {"a1"}
    assert first.result.post_deploy_count == 1
    rest = attach(project, url, command, planned=held_to)
    assert rest.exit_code == 0, rest.stderr
    assert rest.result.applied == ("a2",)
    assert tables(file) == {"a1", "a2"}
