"""Two heads after one revision: the plan says so where nobody seems to have meant them."""

from __future__ import annotations

import pytest

from support.projects import from_template
from support.runner import migrate, plan


@pytest.fixture
def project(tmp_path):
    return from_template(tmp_path / "project").tables("a1")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'app.db'}"


def notices(project, url, target="heads"):
    return plan(project, {"main": url}, target=target).result.plan.databases[0].notices


def test_two_heads_after_one_revision_are_told_in_the_plan_with_what_joins_them(project, url):
    project.revision("a2", after="a1", title="add a status").revision("b2", after="a1", title="add a phone")
    (told,) = notices(project, url)
    assert told == (
        "The history forks after a1 into 2 heads without labels of their own, and all are applied: "
        "a2 (add a status), b2 (add a phone). If that is not meant, join them with 'alembic merge'."
    )
    run = migrate(project, url)
    assert run.exit_code == 0, run.stderr
    assert notices(project, url) == (), "nothing is to be done about it any more"
    project.revision("c3", after=("a2", "b2"))
    assert notices(project, url) == ()


def test_a_fork_below_a_labelled_base_is_none_that_the_label_has_meant(tmp_path, url):
    project = from_template(tmp_path / "project").revision("a1", after=None, label="shop")
    project.revision("a2", after="a1").revision("b2", after="a1")
    assert len(notices(project, url)) == len(notices(project, url, "shop@heads")) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"after": "a1", "label": "shop"}, {"after": "a1", "label": "stat"}),
        ({"after": "a1"}, {"after": None}),
        ({"after": "a1"}, {"after": "a1", "label": "feature"}),
    ],
    ids=["labels", "bases", "one label"],
)
def test_branches_that_are_told_apart_are_meant(project, url, first, second):
    project.revision("a2", **first).revision("b2", **second)
    assert notices(project, url) == ()


def test_a_target_that_is_one_revision_takes_no_fork(project, url):
    project.revision("a2", after="a1").revision("b2", after="a1")
    assert notices(project, url, "a2") == ()


def test_three_heads_are_one_fork(project, url):
    for name in ("a2", "b2", "c2"):
        project.revision(name, after="a1")
    (told,) = notices(project, url)
    assert "after a1 into 3 heads" in told
    assert "a2 (revision a2), b2 (revision b2), c2 (revision c2)" in told
