"""Whatever becomes of the comparison after a run, the run keeps its result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.drift_report import DriftWish
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import DatabasePlan, Outcome, PendingRevision, Plan, RunResult
from headway_runner.main import _keep, followed_by_a_comparison
from headway_runner.modes import after_run
from headway_runner.modes.after_run import at_their_target, with_drift

MIGRATE = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),), drift=DriftWish())
PLAN = RunRequest(Mode.PLAN, "r", (DatabaseRequest("main"), DatabaseRequest("audit")), drift=DriftWish())
DONE = RunResult(Outcome.SUCCEEDED, "r", "main", to_revision=("a1",))


def test_a_defect_in_it_is_told_and_takes_nothing_from_the_run(monkeypatch, capsys):
    def breaks(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(after_run, "with_drift", breaks)
    assert followed_by_a_comparison(None, MIGRATE, DONE) is DONE
    assert "a defect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("request_", "result", "names"),
    [
        (MIGRATE, DONE, {"main"}),
        (MIGRATE, RunResult(Outcome.SUCCEEDED, "r", "main", post_deploy_count=1), set()),
        (MIGRATE, RunResult(Outcome.STOPPED, "r", "main", pending_count=1), set()),
        (MIGRATE, RunResult(Outcome.FAILED, "r", "main"), set()),
        (
            PLAN,
            RunResult(
                Outcome.SUCCEEDED,
                "r",
                plan=Plan((DatabasePlan("main", pending=(PendingRevision("a1"),)), DatabasePlan("audit"))),
            ),
            {"audit"},
        ),
        (
            PLAN,
            RunResult(Outcome.FAILED, "r", plan=Plan((DatabasePlan("main"), DatabasePlan("audit")))),
            set(),
        ),
        (PLAN, RunResult(Outcome.STOPPED, "r"), set()),
    ],
)
def test_only_what_is_at_its_target_is_compared(request_, result, names):
    assert at_their_target(request_, result) == names


def test_a_run_that_failed_is_left_as_it_is():
    failed = RunResult(Outcome.FAILED, "r", "main")
    kept = []
    assert with_drift(None, MIGRATE, failed, kept.append) is failed
    assert kept == []


def test_a_result_takes_the_place_of_a_longer_one(tmp_path):
    file = str(tmp_path / "termination")
    for result in (replace(DONE, notice="a long notice"), DONE):
        _keep(result, file)
        assert RunResult.from_json((tmp_path / "termination").read_text()) == result
    _keep(DONE, "")
