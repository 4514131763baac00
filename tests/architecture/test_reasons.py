"""Every reason has its place in a table, and every table its place in the documentation."""

from __future__ import annotations

import ast
import importlib.util
import re
from types import ModuleType

from headway_contract.events import EVENTS
from headway_contract.exit_codes import ExitCode
from headway_contract.failures import FAILURES
from headway_operator.api.conditions import OWN_CONDITIONS, TABLE
from headway_operator.api.hooks import HookType, Point
from headway_operator.api.reasons import REASONS, reason_of
from headway_operator.manifests.job import _failure_rules
from headway_operator.planner.deliveries import Answer
from support.tree import ROOT, modules

NAMES_OF_FAILURES = (
    "BadRequest",
    "OldPython",
    "AlembicMissing",
    "ProjectNotFound",
    "ProjectFailed",
    "InvalidUrl",
    "DriverMissing",
    "DatabaseUnreachable",
    "ConnectionLost",
    "AuthenticationFailed",
    "DatabaseDoesNotExist",
    "PermissionDenied",
    "MultipleHeads",
    "UnknownTarget",
    "InvalidTarget",
    "InvalidHistory",
    "DatabaseAhead",
    "CannotDowngrade",
    "PlanChanged",
    "WrongDatabase",
    "PoolerDetected",
    "NeverConfigured",
    "LockHeld",
    "LockTimeout",
    "RevisionFailed",
    "PartiallyApplied",
    "NotPersisted",
    "Swallowed",
    "CommandNotFound",
    "NeverAttached",
    "CommandFailed",
    "CommandFailedAfterwards",
    "Unexpected",
)
CONDITIONS = {kind for row in TABLE.values() for kind, _ in row} | set(OWN_CONDITIONS)
WORDS_THAT_ARE_NO_REASONS = CONDITIONS | {
    "True", "False", "Unknown", "Never", "Stop", "Superseded", "Required", "Whether", "Continue", "Always", "Enforce",
    "Plan", "Migrate", "Active", "Failed", "ErrImagePull", "ImagePullBackOff", "InvalidImageName",
    "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "Unschedulable",
    "SchedulingGated",
    "StartError", "ContainerCannotRun", "Evicted",
} | {member.value for kind in (HookType, Point, Answer) for member in kind}  # fmt: skip
REASON_LIKE = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*")


def words_of(folder: str) -> dict[str, str]:
    """The constants that look like a reason, with the module where they stand."""
    return {
        node.value: module.name
        for module in modules()
        if module.name.startswith(folder)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and REASON_LIKE.fullmatch(node.value)
    }


def conditions_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_conditions", ROOT / "docs" / "make_conditions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_failure_classes_stand_in_this_order():
    assert tuple(failure.name for failure in FAILURES) == NAMES_OF_FAILURES


def test_every_reason_of_the_planner_is_in_the_table():
    known = {reason.name for reason in REASONS} | set(NAMES_OF_FAILURES) | WORDS_THAT_ARE_NO_REASONS
    unknown = {
        word: place for word, place in words_of("headway_operator/planner").items() if word not in known
    }
    assert unknown == {}


def test_no_reason_is_left_that_nobody_gives():
    given = set(words_of("headway_operator/planner")) | set(words_of("headway_operator/controller"))
    assert [reason.name for reason in REASONS if reason.name not in given] == []


def constants_of(folder: str) -> set[str]:
    """The texts that stand in the modules of a package."""
    return {
        node.value
        for module in modules()
        if module.name.startswith(folder)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_failure_class_is_left_that_no_run_can_end_with():
    assert [name for name in NAMES_OF_FAILURES if name not in constants_of("headway_runner")] == []


def test_every_failure_class_is_produced_on_real_parts_by_a_test():
    """In the folders where runners, servers and clusters are real."""
    real = [
        ast.parse(path.read_text())
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.relative_to(ROOT / "tests").parts[0] not in ("unit", "simulation", "architecture")
    ]
    seen = {node.value for tree in real for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert [name for name in NAMES_OF_FAILURES if name not in seen] == []


def test_the_operator_says_of_a_failure_what_the_one_table_says():
    said = [reason_of(failure.name) for failure in FAILURES]
    assert [(one.name, one.meaning, one.next_step, one.retry) for one in said] == [
        (one.name, one.meaning, one.next_step, one.retry) for one in FAILURES
    ]


def test_an_exit_code_says_by_itself_whether_another_attempt_is_worth_it():
    """A Job whose pod is gone has nothing but the code."""
    worth_it = {failure.exit_code for failure in FAILURES if failure.retry}
    final = {failure.exit_code for failure in FAILURES if not failure.retry}
    assert worth_it & final == set()
    assert set(ExitCode) == worth_it | final | {ExitCode.SUCCEEDED, ExitCode.STOPPED}


def test_a_job_fails_at_once_for_the_exit_codes_of_final_failures_and_no_others():
    final = sorted({int(failure.exit_code) for failure in FAILURES if not failure.retry})
    _, rule = _failure_rules()
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", final)


def test_a_name_stands_for_one_thing():
    names = [reason.name for reason in REASONS] + list(NAMES_OF_FAILURES)
    assert sorted(names) == sorted(set(names))
    assert len({event.__name__ for event in EVENTS}) == len(EVENTS)


def test_a_reason_that_is_not_known_reads_as_unexpected():
    assert reason_of("OfALaterRelease").name == "Unexpected"


def test_whoever_is_left_with_a_failure_is_told_what_to_do():
    assert [failure.name for failure in FAILURES if not failure.next_step] == []


def test_the_page_of_conditions_is_what_the_tables_say():
    """If not: python docs/make_conditions.py"""
    maker = conditions_page()
    page = maker.PAGE.read_text()
    assert maker.render(page.split(maker.MARKER)[0]) == page


def test_the_page_of_conditions_names_every_condition_and_reason():
    page = conditions_page().PAGE.read_text()
    names = {*CONDITIONS, *(reason.name for reason in REASONS), *NAMES_OF_FAILURES}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
