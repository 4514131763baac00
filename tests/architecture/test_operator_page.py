"""docs/reference/operator.md says what is so: settings as in the code, permissions as the tests run with."""

import re
from dataclasses import fields
from pathlib import Path

import yaml

from headway_operator.settings import Settings
from support.operator_process import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "operator.md").read_text()


def test_the_page_grants_exactly_what_the_operator_is_tested_with() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert yaml.safe_load(block)["rules"] == list(RULES)


def test_every_setting_is_on_the_page() -> None:
    told = re.findall(r"^\| `(HEADWAY_\w+)` \|", PAGE, re.M)
    assert told == [f"HEADWAY_{field.name.upper()}" for field in fields(Settings)]


def test_every_file_that_the_page_of_conventions_names_is_there() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "conventions.md").read_text()
    named = re.findall(r"`((?:tests|operator|charts|crds|contrib)/[\w./*-]+)`", page)
    assert len(named) > 30
    assert [one for one in named if not list(root.glob(one))] == []
