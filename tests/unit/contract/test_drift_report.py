"""What the result of a run tells of a comparison: always its count, and no more than it has room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.drift import DatabaseDrift, Difference, report_of, without_ignored
from headway_contract.drift_report import DIFFERENCES_TOLD, TEXT_CHARACTERS, DriftReport
from headway_contract.result import LIMIT_BYTES, Failure, Outcome, RunResult

STATUS = Difference(
    "add_column", "users.status", "column users.status is in the models and not in the database"
)
LEGACY = Difference("remove_table", "legacy", "table legacy is in the database and not in the models")
INDEX = Difference(
    "remove_index", "ix_a on users", "index ix_a on users is in the database and not in the models"
)


def drift(*differences, **fields):
    return DatabaseDrift("main", differences, **fields)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("legacy", [STATUS, INDEX]),
        ("users.*", [LEGACY, INDEX]),
        ("remove_index:*", [STATUS, LEGACY]),
        ("remove_*:*", [STATUS]),
        ("add_column:legacy", [STATUS, LEGACY, INDEX]),
        ("*", []),
        ("LEGACY", [STATUS, LEGACY, INDEX]),
    ],
)
def test_a_pattern_leaves_out_what_has_its_name_or_its_kind_and_name(pattern, left):
    assert list(without_ignored(drift(STATUS, LEGACY, INDEX), [pattern]).differences) == left


def test_all_are_counted_and_the_first_are_told():
    many = [Difference("add_table", f"t{number}", f"table t{number} " + "x" * 500) for number in range(40)]
    told = report_of(drift(*many), ["t39"])
    assert told.count == 39
    assert len(told.differences) == DIFFERENCES_TOLD
    assert all(len(one) <= TEXT_CHARACTERS for one in told.differences)


def test_the_digest_is_that_of_the_differences_that_are_not_ignored():
    assert report_of(drift(STATUS, LEGACY), ["legacy"]) == report_of(drift(STATUS), [])
    assert report_of(drift(STATUS), []).digest != report_of(drift(STATUS, LEGACY), []).digest
    assert report_of(drift(STATUS, replace(LEGACY)), []).digest == report_of(drift(STATUS, LEGACY), []).digest


def test_no_difference_has_no_digest_and_is_not_the_same_as_not_compared():
    assert report_of(drift(LEGACY), ["legacy"]) == DriftReport(count=0)
    assert report_of(drift(not_compared="There are no models."), []) == DriftReport(
        message="There are no models."
    )


def test_where_only_some_contexts_could_be_compared_both_are_told():
    told = report_of(drift(STATUS, not_compared="env.py gives no target_metadata."), [])
    assert (told.count, told.message) == (1, "env.py gives no target_metadata.")


def test_a_comparison_that_failed_says_why_and_counts_nothing():
    told = report_of(drift(failure=Failure("ProjectFailed", "ImportError: no models.")), [])
    assert told.count is None
    assert "ImportError: no models." in told.message
    assert "headway check" in told.message


def test_a_result_has_room_for_it_and_keeps_the_count_before_anything_of_the_run_is_left_out():
    report = DriftReport(
        40, tuple("ü" * TEXT_CHARACTERS for _ in range(DIFFERENCES_TOLD)), "sha256:" + "0" * 64
    )
    result = RunResult(
        Outcome.SUCCEEDED, "r", "main", applied=tuple(f"revision{n:03}" for n in range(60)), drift=report
    )
    text = result.to_json()
    assert len(text) <= LIMIT_BYTES
    read = RunResult.from_json(text)
    assert read is not None
    assert read.applied == result.applied
    assert (read.drift.count, read.drift.digest) == (40, report.digest)
