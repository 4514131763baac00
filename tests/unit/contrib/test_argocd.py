"""What Argo CD makes of the resource, by its own scripts with nothing but what it gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.codec import encode
from headway_operator.api.conditions import OWN_CONDITIONS, State, conditions_for
from headway_operator.api.reasons import REASONS
from headway_operator.api.status import Progress, Status
from support.judges import argo
from support.lua import LuaError, run
from support.tree import ROOT

FOLDER = ROOT / "contrib" / "argocd" / "headway.dev" / "DatabaseMigration"
ACTIONS = FOLDER / "actions"
HEALTH = FOLDER / "health.lua"


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.CSafeLoader)


HEALTH_TESTS = load(FOLDER / "health_test.yaml")["tests"]
ACTION_TESTS = load(ACTIONS / "action_test.yaml")


@pytest.mark.parametrize("test", HEALTH_TESTS, ids=lambda test: Path(test["inputPath"]).stem)
def test_the_health_is_as_its_own_test_file_says(test: dict[str, Any]) -> None:
    assert run(HEALTH, load(FOLDER / test["inputPath"])) == test["healthStatus"]


@pytest.mark.parametrize("broken", [{}, {"metadata": {}}, {"metadata": {"generation": 1}, "status": {}}])
def test_a_resource_without_a_status_is_waited_for(broken: dict[str, Any]) -> None:
    assert run(HEALTH, broken)["status"] == "Progressing"


@given(
    state=st.sampled_from(State),
    reason=st.sampled_from(REASONS),
    generation=st.integers(1, 3),
    seen=st.integers(-1, 3),
    progress=st.none() | st.builds(Progress, summary=st.sampled_from(("", "1/3 · 42%"))),
)
def test_the_script_judges_as_the_tests_of_the_planner_do(
    state: State, reason: Any, generation: int, seen: int, progress: Progress | None
) -> None:
    own = dict.fromkeys(OWN_CONDITIONS, ("Unknown", reason.name, "because"))
    conditions = conditions_for(state, reason.name, "because", own, seen)
    status = Status(observed_generation=seen, conditions=conditions, progress=progress)
    resource = {"metadata": {"generation": generation}, "status": encode(status)}
    assert run(HEALTH, resource)["status"] == argo(status, generation)


def discovered(resource: Any) -> list[dict[str, Any]]:
    found = run(ACTIONS / "discovery.lua", resource)
    shown = [{"name": name, **action} for name, action in found.items()]
    return [{key: value for key, value in action.items() if value is not False} for action in shown]


@pytest.mark.parametrize(
    "test", ACTION_TESTS["discoveryTests"], ids=lambda test: Path(test["inputPath"]).stem
)
def test_the_actions_that_fit_are_offered(test: dict[str, Any]) -> None:
    found = discovered(load(ACTIONS / test["inputPath"]))
    assert sorted(found, key=lambda one: str(one["name"])) == sorted(
        test["result"], key=lambda one: str(one["name"])
    )
    assert {one["name"] for one in found} <= {folder.name for folder in ACTIONS.iterdir() if folder.is_dir()}


@pytest.mark.parametrize(
    "test", ACTION_TESTS["actionTests"], ids=lambda test: f"{test['action']}-{Path(test['inputPath']).stem}"
)
def test_an_action_writes_an_annotation_and_nothing_else(test: dict[str, Any]) -> None:
    script, resource = ACTIONS / test["action"] / "action.lua", load(ACTIONS / test["inputPath"])
    if "expectedErrorMessage" in test:
        with pytest.raises(LuaError, match=test["expectedErrorMessage"]):
            run(script, resource)
        return
    changed = run(script, resource)
    expected = load(ACTIONS / test["expectedOutputPath"])
    assert changed == expected
    assert {**changed, "metadata": None} == {**resource, "metadata": None}
