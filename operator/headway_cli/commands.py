"""The commands to a resource of a cluster: what each writes, and when the operator has answered it. Pure.

A command is an annotation. The operator acknowledges its token in status, so that whoever gave it sees that it was
taken up, however the clocks of the two stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from headway_cli import outcomes
from headway_cli.approving import names
from headway_contract.sentences import counted
from headway_operator.api.migration import (
    ABORT_ANNOTATION,
    APPROVE_ANNOTATION,
    APPROVED_BY_ANNOTATION,
    PACE_ANNOTATION,
    PAUSED_ANNOTATION,
    RETRY_ANNOTATION,
    LintSettings,
    Migration,
)
from headway_operator.api.status import Status
from headway_operator.planner.direction import to_do
from headway_operator.planner.review import left_over, warnings_left


class Refused(Exception):
    """The command would do nothing, or something else than was meant; the message says why and what to do."""


@dataclass(frozen=True)
class Command:
    """What to write, and how the answer is known."""

    annotations: Mapping[str, str | None]
    """None takes one away."""
    is_answered: Callable[[Status], bool]
    told: Callable[[Migration], str]
    """What was asked and what comes of it, as the resource is once it is answered; it follows the resource's name."""
    shown: tuple[str, ...] = field(default=())
    """What a person should see before agreeing; nothing: no agreement is needed."""


def pause(migration: Migration, token: str) -> Command:
    """Nothing is started, and what runs holds."""
    return Command(
        {PAUSED_ANNOTATION: token}, lambda status: status.last_handled_paused == token, outcomes.of_a_pause
    )


def resume(migration: Migration, token: str) -> Command:
    """The end of a pause; raises :class:`Refused` where none is to end."""
    is_suspended = migration.spec is not None and migration.spec.suspend
    if is_suspended and not migration.paused_token:
        raise Refused(
            "it is suspended, not paused: spec.suspend is true. Set it to false where the resource is kept"
        )
    was = "not paused any more" if migration.paused_token else "was not paused"
    return Command(
        {PAUSED_ANNOTATION: None},
        lambda status: not status.last_handled_paused,
        lambda answered: was + outcomes.what_follows(answered, "goes on"),
    )


def abort(migration: Migration, token: str) -> Command:
    """The end of the run that is there now, and of no other; raises :class:`Refused` where none goes on."""
    run = migration.status.run
    if run is None or (run.completion_time and not _is_new(migration)):
        how = f"run {run.id} ended as {run.result}" if run is not None else "no run has begun"
        raise Refused(f"there is nothing to abort: {how}")
    # A new run that is held has no id in the status yet; the operator takes a bare token for it.
    value = token if run.completion_time else f"{run.id}/{token}"
    return Command(
        {ABORT_ANNOTATION: value},
        lambda status: status.last_handled_abort == value,
        lambda answered: outcomes.of_an_abort(answered, run.id),
    )


def retry(migration: Migration, token: str) -> Command:
    """A new run of the same specification."""
    return Command(
        {RETRY_ANNOTATION: token},
        lambda status: status.last_handled_retry == token,
        lambda answered: "asked for a new run" + outcomes.what_follows(answered, "it has begun"),
    )


def pace(migration: Migration, asked: str) -> Command:
    """How fast backfills go; ``asked`` empty: as the specification says."""
    how = f"at the pace {asked}" if asked else "as spec.backfill.pace says"
    return Command(
        {PACE_ANNOTATION: asked or None},
        lambda status: status.last_handled_pace == asked,
        lambda answered: f"its backfills go {how}, from the next batch on",
    )


def approve(migration: Migration, digest: str, by: str) -> Command:
    """Of the plan that waits now; raises :class:`Refused` where none does, or another one than was meant.

    ``digest`` may be left out or be the beginning of one; ``by`` is who approves, where that is known.
    """
    plan = migration.status.plan
    approved = migration.status.condition("Approved")
    if plan is None or not plan.digest or approved is None:
        raise Refused("there is no plan to approve yet; it is made when the run begins")
    if digest and not names(digest, plan.digest):
        raise Refused(
            f"{digest} is not the plan that there is: that is {plan.digest}. Look at it again; "
            "the image, the target, the databases or the revisions they are at have changed since"
        )
    if approved.status == "True":
        raise Refused(f"no approval is needed: {approved.message}")
    value = plan.digest
    return Command(
        {APPROVE_ANNOTATION: value, APPROVED_BY_ANNOTATION: by or None},
        lambda status: status.last_handled_approve == value,
        lambda answered: f"the plan {value} is approved" + outcomes.what_follows(answered, "is carried out"),
        shown=tuple(_shown(migration)),
    )


def _shown(migration: Migration) -> Iterator[str]:
    """What would be done, as the status has it."""
    plan, spec = migration.status.plan, migration.spec
    assert plan is not None
    lint = LintSettings() if spec is None else spec.lint
    yield f"{migration.namespace}/{migration.name}" + (f", image {spec.image}" if spec is not None else "")
    for database in migration.status.databases:
        if not database.pending_count:
            continue
        at = f" at {database.current_revision}" if database.current_revision else ""
        yield f"  {database.name}{at}: {to_do(database.pending_count, (database,))}"
        for one in database.pending:
            yield f"    {one.revision}  {one.title}".rstrip()
            yield from (f"      ! {warning}" for warning in warnings_left(one, lint))
        left_out = database.pending_count - len(database.pending)
        if left_out > 0:
            yield f"    and {left_out} more"
    yield from _review(migration, lint)
    yield f"  digest {plan.digest}"


def _review(migration: Migration, lint: LintSettings) -> Iterator[str]:
    """How much was found in all, and the worst of each rule where not everything stands with a revision above."""
    plan = migration.status.plan
    assert plan is not None
    if not plan.reviewed or lint.mode == "Never":
        why = "spec.lint.mode is Never" if lint.mode == "Never" else "what the revisions do was not told"
        yield f"  no review: {why}"
        return
    left = left_over(plan, lint)
    total = sum(one.count for one in left)
    yield f"  the review has {counted(total, 'finding')}" if total else "  the review found nothing"
    pending = [one for database in migration.status.databases for one in database.pending]
    if total > sum(len(warnings_left(one, lint)) for one in pending):
        yield from (f"    ! {one.severity} {one.rule} ({one.count}): {one.first}" for one in left)


def _is_new(migration: Migration) -> bool:
    """Whether a run is asked for that is held before it began: the status of the one before stands there still."""
    reconciling = migration.status.condition("Reconciling")
    return reconciling is not None and reconciling.status == "True"
