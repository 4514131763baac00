"""What `headway run` says of the review's findings, from a status as the planner writes it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from headway_cli.outputs import LiveOutput
from headway_cli.review_told import MOST, WHERE_IT_IS_WHOLE, items_of_review
from headway_operator.api.migration import LintSettings
from headway_operator.api.status import DatabaseStatus, Pending, PlanStatus, RuleStatus, Status
from headway_operator.lint.findings import Finding, Severity
from headway_operator.planner.review import finding_of, with_findings, with_warnings

WARN = LintSettings("Warn")
INDEX = Finding(
    "The index i on orders (600.0k rows, 55.2 MB) is built without CONCURRENTLY.",
    "Whoever writes to orders waits. Until it is built.",
    "Use `headway.create_index_concurrently('i', 'orders', …)`.",
    "index_is_created_without_concurrently",
    Severity.ERROR,
    "a2",
    "versions/a2.py",
    13,
)
UNTOLD = Finding("The rest of it is not known.", "", "", "revision_is_not_rendered", Severity.WARNING, "a3")
BEFORE = Status(plan=PlanStatus(job_name="shop-plan-1", attempt=1))


def reviewed(*found: Finding) -> Status:
    """As the planner writes it when the plan of one database was made."""
    plan = PlanStatus(job_name="shop-plan-1", attempt=1, completion_time="2026-11-23T08:00:00Z")
    revisions = dict.fromkeys(one.revision for one in found)
    database = DatabaseStatus("main", pending=tuple(map(Pending, revisions)))
    findings = {"main": found}
    return Status(plan=with_findings(plan, findings), databases=(with_warnings(database, findings),))


def messages(old: Status, new: Status, lint: LintSettings = WARN) -> list[str]:
    return [f"{one.database}: {one.message}" for one in items_of_review(old, new, lint)]


def test_each_finding_is_told_with_its_severity_revision_rule_line_and_first_sentence():
    assert messages(BEFORE, reviewed(INDEX, UNTOLD)) == [
        f": the review has 2 findings; {WHERE_IT_IS_WHOLE}",
        "main: Error in a2: The index i on orders (600.0k rows, 55.2 MB) is built without CONCURRENTLY. "
        "[index_is_created_without_concurrently, line 13]",
        "main: Warning in a3: The rest of it is not known. [revision_is_not_rendered]",
    ]


def test_programs_are_told_its_parts():
    _, item = items_of_review(BEFORE, reviewed(INDEX), WARN)
    assert (item.kind, item.details) == (
        "LintFinding",
        {
            "severity": "Error",
            "revision": "a2",
            "rule": "index_is_created_without_concurrently",
            "line": 13,
        },
    )


def test_what_is_ignored_and_what_nobody_asked_for_is_not_told():
    told = reviewed(INDEX, UNTOLD)
    assert len(messages(BEFORE, told, LintSettings("Warn", (INDEX.rule,)))) == 2
    assert messages(BEFORE, told, LintSettings("Warn", (INDEX.rule, UNTOLD.rule))) == []
    assert messages(BEFORE, told, LintSettings("Never")) == []
    assert messages(BEFORE, reviewed()) == []


def test_it_is_told_once_and_again_only_for_another_plan():
    told = reviewed(INDEX)
    assert messages(told, told) == []
    assert told.plan is not None
    again = replace(told, plan=replace(told.plan, job_name="shop-plan-2", attempt=2))
    assert len(messages(told, again)) == 2


def test_of_very_many_the_first_are_told_and_the_rest_counted():
    told = messages(BEFORE, reviewed(*(replace(INDEX, line=number) for number in range(1, MOST + 6))))
    assert len(told) == MOST + 2
    assert told[-1] == ": and 5 further findings"


def test_those_of_revisions_that_the_status_leaves_out_are_counted():
    told = reviewed(INDEX)
    rest = RuleStatus(INDEX.rule, "Error", 4, "main: …")
    assert told.plan is not None
    told = replace(told, plan=replace(told.plan, findings=(rest,)))
    assert messages(BEFORE, told)[-1] == ": and 3 further findings"


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("Error rule, line 7: Stop. (And 2 more at this place.) Why.", "Stop. (And 2 more at this place.)", 7),
        ("Warning some_rule: It is cut sh…", "It is cut sh…", 0),
        ("words of a later release", "words of a later release", 0),
    ],
)  # fmt: skip
def test_of_a_text_in_a_status_what_happens_is_kept(text, what, line):
    found = finding_of(Pending("a2"), text)
    assert (found.what, found.line, found.revision) == (what, line, "a2")


def test_on_a_terminal_they_stand_above_the_table():
    console = Console(file=io.StringIO(), width=200, color_system=None)
    for item in items_of_review(BEFORE, reviewed(INDEX), WARN):
        LiveOutput(console, str).tell(item)
    assert "main: Error in a2: The index i on orders" in console.file.getvalue()
