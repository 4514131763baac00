"""Every rule against real revision files: ``fail_*`` have its findings at the marked lines, ``pass_*`` have none.

A case is a file, or a folder of files that run one after the other. ``# found`` marks a line, ``# server: 14.3`` says
what the case is about.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from headway_operator.lint.findings import Finding
from headway_operator.lint.lint import findings
from headway_operator.lint.ordered import NAMES, RULES
from support.lint_facts import facts_of_files

CASES = Path(__file__).parent / "cases"
ALL = sorted(path for folder in CASES.iterdir() for path in folder.iterdir() if path.name != "__pycache__")
SERVER = re.compile(r"^# server: (\S+)$", re.M)
ABOUT_THE_WHOLE = ("revision_cannot_be_taken_back", "revision_is_not_rendered")
"""What they find has no line."""


def files_of(case: Path) -> list[Path]:
    return sorted(case.glob("*.py")) if case.is_dir() else [case]


@cache
def all_found_in(case: Path) -> tuple[Finding, ...]:
    files = files_of(case)
    server = next((found[1] for file in files if (found := SERVER.search(file.read_text()))), "")
    facts = replace(facts_of_files(*files), server_version=server)
    return tuple(findings(facts))


def found_in(case: Path, rule: str) -> list[Finding]:
    return [one for one in all_found_in(case) if one.rule == rule]


def covers(finding: Finding, file: str, line: int) -> bool:
    return finding.file == file and finding.line <= line <= finding.end_line


def marked(case: Path) -> list[tuple[str, int]]:
    return [
        (file.name, number)
        for file in files_of(case)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# found")
    ]


@pytest.mark.parametrize(
    "case",
    [one for one in ALL if one.name.startswith("fail_")],
    ids=lambda one: f"{one.parent.name}-{one.stem}",
)
def test_what_is_dangerous_is_found_where_it_stands(case):
    found = found_in(case, case.parent.name)
    assert found
    if case.parent.name not in ABOUT_THE_WHOLE:
        covered = [[mark for mark in marked(case) if covers(one, *mark)] for one in found]
        assert covered == [[mark] for mark in marked(case)]


@pytest.mark.parametrize(
    "case",
    [one for one in ALL if one.name.startswith("pass_")],
    ids=lambda one: f"{one.parent.name}-{one.stem}",
)
def test_what_is_safe_is_not_found(case):
    assert found_in(case, case.parent.name) == []


def test_every_rule_has_cases_of_both_kinds():
    kinds = {(case.parent.name, case.name.split("_")[0]) for case in ALL}
    assert kinds == {(name, kind) for name in NAMES for kind in ("fail", "pass")}


def test_every_rule_says_what_not_to_do_and_what_to_do():
    for rule in RULES:
        text = rule.check.__doc__ or ""
        assert "Anti-pattern::" in text, rule.name
        assert "Best practice::" in text, rule.name


def test_rules_stand_in_groups_and_each_once():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.name)
def test_a_rule_gives_the_severities_that_it_is_listed_with(rule):
    cases = [one for one in ALL if one.parent.name == rule.name and one.name.startswith("fail_")]
    given = {found.severity for case in cases for found in found_in(case, rule.name)}
    assert given <= set(rule.severities)
