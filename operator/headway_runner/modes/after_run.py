"""What a resource may ask for after a run: a comparison of each database with the models. Information, nothing else.

Rule: the result is written before it begins, so whatever ends this process, the run ended as it did. A wish to stop
ends it at once, and so does the end of its time.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from headway_contract.drift import report_of
from headway_contract.drift_report import DriftReport, DriftWish
from headway_contract.events import ComparisonStarted
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import DatabasePlan, Outcome, RunResult
from headway_runner.modes.check import check_database
from headway_runner.modes.plan import planned
from headway_runner.processes.supervisor import Supervisor
from headway_runner.words.reports import say
from headway_runner.words.secrecy import masked

STOPPED = "The comparison was ended: the run was asked to stop."


def with_drift(
    supervisor: Supervisor,
    request: RunRequest,
    result: RunResult,
    keep: Callable[[RunResult], None],
) -> RunResult:
    """The result with what was compared in it; ``keep`` writes a result where it outlives this process."""
    wish, names = request.drift, at_their_target(request, result)
    if wish is None or not names or supervisor.stopping is not None:
        return result
    keep(result)
    ends_at = time.monotonic() + wish.seconds
    reports = {
        one.name: _compared(supervisor, request, one, wish, ends_at)
        for one in request.databases
        if one.name in names
    }
    if result.plan is None:
        return replace(result, drift=reports[result.database])
    databases = tuple(_with_report(one, reports) for one in result.plan.databases)
    return planned(supervisor, request, replace(result.plan, databases=databases))


def at_their_target(request: RunRequest, result: RunResult) -> frozenset[str]:
    """The databases in which nothing is left to do, of a run or a plan that succeeded."""
    if result.outcome is not Outcome.SUCCEEDED:
        return frozenset()
    if request.mode is Mode.PLAN and result.plan is not None:
        return frozenset(one.name for one in result.plan.databases if not one.pending)
    is_done = request.mode is Mode.MIGRATE and not result.pending_count and not result.post_deploy_count
    return frozenset((result.database,)) if is_done else frozenset()


def _with_report(database: DatabasePlan, reports: dict[str, DriftReport]) -> DatabasePlan:
    return replace(database, drift=reports.get(database.name))


def _compared(
    supervisor: Supervisor,
    request: RunRequest,
    database: DatabaseRequest,
    wish: DriftWish,
    ends_at: float,
) -> DriftReport:
    ended = _end(supervisor, wish, ends_at)
    if ended is not None:
        return ended
    supervisor.emit(ComparisonStarted(database.name))
    found = masked(check_database(supervisor, request, database, ends_at))
    ended = None if found.failure is None else _end(supervisor, wish, ends_at)
    report = ended or report_of(found, wish.ignore)
    _tell(database.name, report)
    return report


def _end(supervisor: Supervisor, wish: DriftWish, ends_at: float) -> DriftReport | None:
    """Why no process may go on with it, None while it may."""
    if supervisor.stopping is not None:
        return DriftReport(message=STOPPED)
    if time.monotonic() < ends_at:
        return None
    return DriftReport(
        message=f"The comparison had not ended after {wish.seconds} s, which is all it may take."
    )


def _tell(name: str, report: DriftReport) -> None:
    """For whoever reads the log."""
    if report.count is not None:
        noun = "difference" if report.count == 1 else "differences"
        say(f"{name}: {report.count} {noun} between the database and the models")
    for sentence in (*report.differences, *filter(None, (report.message,))):
        say(f"{name}: {sentence}")
