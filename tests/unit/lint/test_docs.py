"""docs/lint.md is what the rules say, and no danger of the catalogue is passed over in silence."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from headway_operator.lint.ordered import RULES
from support.tree import ROOT


def make_lint() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_lint", ROOT / "docs" / "make_lint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_make_lint_writes():
    page = make_lint()
    text = page.PAGE.read_text()
    assert text == page.render(text.partition(page.MARKER)[0]), "python docs/make_lint.py"


def test_every_number_of_the_catalogue_has_a_rule_or_a_reason_for_none():
    page = make_lint()
    numbers = {number for rule in RULES for number in page.numbers_of(rule)}
    assert numbers | set(page.LEFT_OUT) == set(range(1, page.DANGERS + 1))
    assert numbers & set(page.LEFT_OUT) == set()


def test_every_rule_says_what_it_is_about():
    assert [rule.name for rule in RULES if not make_lint().numbers_of(rule)] == []
