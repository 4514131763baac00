"""The gate of the application's own pods: what it waits for, what it says, when it gives up."""

from collections.abc import Iterable

import pytest

from headway_contract.exit_codes import ExitCode
from headway_contract.failures import FAILURES
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_runner.gate import HOPELESS, judge, wait, with_document


def planned(*pending: PendingRevision, **more: object) -> RunResult:
    plan = Plan((DatabasePlan("database", ("a1",), pending=pending, **more),))  # type: ignore[arg-type]
    return RunResult(Outcome.SUCCEEDED, "gate", plan=plan)


def failed(name: str) -> RunResult:
    return RunResult(Outcome.FAILED, "gate", failure=Failure(name, "It is so."))


BEFORE, BEHIND = PendingRevision("b2"), PendingRevision("c3", post_deploy=True)


@pytest.mark.parametrize(
    ("result", "sentence", "code"),
    [
        (planned(), "open: the database is at a1", 0),
        (planned(BEHIND), "open: the database is at a1", 0),
        (planned(ahead=True), "open: the database is at a1", 0),
        (planned(BEFORE), "1 revision to come, the first is b2", None),
        (planned(BEFORE, PendingRevision("b3"), BEHIND), "2 revisions to come, the first is b2", None),
        (None, "the look at the database did not end in time or without a result", None),
        (RunResult(Outcome.SUCCEEDED, "gate"), "the look at the database did not end with a plan", None),
    ],
)
def test_a_look_is_judged_by_what_must_precede_the_roll_out(
    result: RunResult | None, sentence: str, code: int | None
) -> None:
    assert judge(result) == (sentence, code)


def test_a_database_that_is_not_there_yet_is_waited_for_and_a_broken_project_is_not() -> None:
    assert judge(failed("DatabaseUnreachable"))[1] is None
    assert judge(failed("DatabaseDoesNotExist"))[1] is None
    assert judge(failed("UnknownTarget"))[1] == ExitCode.BAD_HISTORY
    assert set(HOPELESS) <= {one.name for one in FAILURES}


def run(looks: Iterable[RunResult | None], timeout: float = 100.0) -> tuple[int, list[float]]:
    now, slept, left = [0.0], [], iter(looks)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    return wait(lambda: next(left), timeout, 3.0, lambda: now[0], sleep), slept


def test_it_looks_until_the_gate_is_open_and_says_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    code, slept = run([failed("DatabaseUnreachable"), planned(BEFORE), planned(BEFORE), planned()])
    assert (code, slept) == (0, [3.0, 3.0, 3.0])
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3
    assert said[1:] == ["gate: 1 revision to come, the first is b2", "gate: open: the database is at a1"]


def test_it_gives_up_in_time_for_the_pod_to_be_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    code, slept = run([planned(BEFORE)] * 4, timeout=10)
    assert (code, sum(slept)) == (1, 9.0)
    assert "gave up after 10 s" in capsys.readouterr().out


def test_a_plan_that_did_not_fit_is_read_from_what_was_told() -> None:
    short = RunResult(Outcome.SUCCEEDED, "gate", plan_sha256="0" * 64)
    assert with_document(short, "nothing of it\n").plan is None
    assert with_document(planned(), "").plan is not None
