"""What may hold a run before its next Job: an ordered tuple of named questions; the first that says yes is shown.

A closed gate holds what has not started yet. What is running stops at its next safe point, but for a pause: then it
holds there, and goes on in the same process. The gates after the plan are asked before the first Job that migrates.
"""

from collections.abc import Callable
from dataclasses import dataclass

from headway_operator.api.conditions import State
from headway_operator.api.migration import PACES, Migration
from headway_operator.api.reasons import reason_of
from headway_operator.planner.approval import has_begun, is_asked, what_is_asked
from headway_operator.planner.follow import Standing
from headway_operator.planner.review import what_lint_forbids
from headway_operator.planner.run import CurrentRun

IS_PAUSED = "the annotation headway.dev/paused is set: nothing is started until it is removed"
IS_SUSPENDED = "spec.suspend is true: nothing is started until it is false"
HOLDS = "the annotation headway.dev/paused is set"


@dataclass(frozen=True)
class Blocked:
    """Why nothing starts, and whether that is a failure or a wait."""

    state: State
    reason: str
    message: str
    hold: str = ""
    """Why what is running holds; empty: it stops."""


Gate = Callable[[Migration], Blocked | None]
GateAfterPlan = Callable[[CurrentRun, Standing], Blocked | None]


def specification_is_unreadable(migration: Migration) -> Blocked | None:
    """The spec does not fit this release's schema."""
    if migration.spec is not None:
        return None
    return _refused("InvalidSpec", migration.problem)


def pace_is_unknown(migration: Migration) -> Blocked | None:
    """The pace annotation has a word that is none of the paces."""
    if not migration.pace_token or migration.pace:
        return None
    asked = f"headway.dev/pace: {migration.pace_token[:40]} is none of {', '.join(PACES)}"
    return _refused("UnsupportedAnnotation", asked)


def migration_is_suspended(migration: Migration) -> Blocked | None:
    """spec.suspend is set."""
    if migration.spec is None or not migration.spec.suspend:
        return None
    return Blocked(State.WAITING, "Suspended", IS_SUSPENDED)


def migration_is_paused(migration: Migration) -> Blocked | None:
    """The paused annotation is set."""
    if not migration.paused_token:
        return None
    return Blocked(State.WAITING, "Paused", IS_PAUSED, hold=HOLDS)


GATES: tuple[Gate, ...] = (
    specification_is_unreadable,
    pace_is_unknown,
    migration_is_suspended,
    migration_is_paused,
)


def approval_is_missing(run: CurrentRun, standing: Standing) -> Blocked | None:
    """The plan needs an approval that names its digest, and has none."""
    if not is_asked(run, standing) or standing.plan.approved_time:
        return None
    return Blocked(State.WAITING, "WaitingForApproval", what_is_asked(run, standing))


def lint_forbids_the_plan(run: CurrentRun, standing: Standing) -> Blocked | None:
    """spec.lint.mode is Enforce, and there are findings of severity Error, or what no rule and no person judges."""
    by_people, name = is_asked(run, standing), run.migration.name
    forbidden = what_lint_forbids(standing.plan, run.spec.lint, name, by_people)
    return Blocked(State.FAILED, "LintFailed", forbidden) if forbidden else None


AFTER_PLAN: tuple[GateAfterPlan, ...] = (lint_forbids_the_plan, approval_is_missing)


def first_block_after_plan(run: CurrentRun, standing: Standing) -> Blocked | None:
    """The first gate that is closed between the plan and the first Job that migrates."""
    if not standing.plan_is_done or standing.is_over or has_begun(run, standing):
        return None
    return next((blocked for gate in AFTER_PLAN if (blocked := gate(run, standing))), None)


def first_block(migration: Migration) -> Blocked | None:
    """The first gate that is closed."""
    return next((blocked for gate in GATES if (blocked := gate(migration))), None)


def _refused(reason: str, message: str) -> Blocked:
    text = f"{message}. {reason_of(reason).next_step}"
    return Blocked(State.FAILED, reason, text)
