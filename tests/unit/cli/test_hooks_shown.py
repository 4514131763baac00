"""Hooks as people meet them: the example and the page's own YAML are accepted, answers are told in a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from headway_cli.admission import broken_rules
from headway_cli.hook_calls import check_hooks
from headway_cli.problems import BadInput
from headway_cli.report import items_of_status
from headway_cli.schema import checked
from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.api.migration import parse
from headway_operator.api.status import Status

ROOT = Path(__file__).parents[3]
SHOP = yaml.safe_load((ROOT / "examples/shop/migration.yaml").read_text())
EXAMPLE = (ROOT / "examples/hooks/shop.yaml").read_text()
PAGE = re.search(r"```yaml\n(spec:\n  hooks:.*?)```", (ROOT / "docs/hooks.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("text", [EXAMPLE, PAGE and PAGE.group(1)], ids=["example", "page"])
def test_what_we_show_is_accepted(text):
    resource = SHOP | {"spec": SHOP["spec"] | yaml.safe_load(text)["spec"]}
    complete = checked(resource, "shop.yaml")
    assert broken_rules(complete, "shop.yaml") == []
    assert parse(complete).spec.hooks


def test_every_point_and_every_type_is_on_the_page():
    page = (ROOT / "docs/hooks.md").read_text()
    words = [*Point, *HookType, *Result]
    assert [word for word in words if f"`{word.value}`" not in page] == []


def test_an_endpoint_is_refused_without_a_cluster():
    resource = SHOP | {"spec": SHOP["spec"] | yaml.safe_load(PAGE.group(1))["spec"]}
    with pytest.raises(BadInput, match=r"spec\.hooks\[1\]\.endpoint"):
        check_hooks(parse(checked(resource, "shop.yaml")).spec, "shop.yaml")


def test_an_answer_is_told_once_and_an_intent_not_at_all():
    def status(result, message=""):
        entry = HookStatus(
            "window", HookType.GATE, Point.BEFORE_REVISION, result, "r.1", "r", "main", "a1", message=message
        )
        return Status(hooks=(entry,))

    asked, waits = status(Result.PENDING), status(Result.WAITING, "x answered 403")
    assert items_of_status(Status(), asked, 1) == ()
    (item,) = items_of_status(asked, waits, 1)
    assert item.message == "hook window (BeforeRevision a1) waiting: x answered 403"
    assert item.database == "main"
    assert items_of_status(waits, waits, 1) == ()
