"""What a plan Job left: its result, and the document with the facts in its log."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from headway_contract.result import Failure, Plan, RunResult
from headway_contract.wire import MARK, join_document
from headway_operator.api.reasons import reason_of
from headway_operator.planner.explain import explain

TAIL_LINES = 12


@dataclass(frozen=True)
class Told:
    """The plan, as far as it is known; without one, why not."""

    plan: Plan | None = None
    problem: str = ""
    log: tuple[str, ...] = ()
    """The end of what the project's code printed, when there is a problem."""


def told_of(result: RunResult | None, log: str, migration_name: str) -> Told:
    """The document with the facts where the log has it, else what the result has."""
    lines = log.splitlines()
    if result is None:
        return Told(problem="The plan's process ended without a result.", log=tail(lines))
    document = join_document(result.plan_sha256, lines) if result.plan_sha256 else None
    plan = (Plan.from_json(document) if document else None) or result.plan
    if plan is None and result.failure is not None:
        return Told(problem=why_it_failed(result.failure, migration_name), log=tail(lines))
    has_failed = result.failure is not None
    return Told(
        plan, "" if plan else "The plan was made, but its log is gone.", tail(lines) if has_failed else ()
    )


def why_it_failed(failure: Failure, migration_name: str) -> str:
    """As the operator says it; :func:`headway_cli.at_home.at_home` says it to somebody without a cluster."""
    return f"{failure.name}: {explain(reason_of(failure.name), failure.message, migration_name)}"


def tail(lines: list[str]) -> tuple[str, ...]:
    """The last lines that are no events."""
    return tuple([line for line in lines if not line.startswith(MARK)][-TAIL_LINES:])


def tell_problem(told: Told) -> None:
    """To whoever started the command: what it says has no Secret in it any more."""
    if told.problem:
        print(f"error: {told.problem}", file=sys.stderr)
    if told.log:
        print("The end of what the project printed:", file=sys.stderr)
    for line in told.log:
        print(f"  | {line}", file=sys.stderr)
