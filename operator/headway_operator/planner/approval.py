"""Who lets a plan pass: the annotation headway.dev/approve names the digest of the plan, whole, or does not count.

Until the first Job that migrates is created the annotation alone decides, so it can be taken back; from then on the
run is held to the plan that was approved, and it is not asked again.
"""

from dataclasses import replace

from headway_operator.api.migration import APPROVE_ANNOTATION, Migration
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import PlanStatus
from headway_operator.planner.explain import stamp
from headway_operator.planner.follow import Standing
from headway_operator.planner.review import what_is_unseen
from headway_operator.planner.run import CurrentRun
from headway_operator.planner.snapshot import Snapshot

SHOWN = 100
"""Of an annotation that approves something else: somebody may have written a page into it."""


def with_approval(snapshot: Snapshot, run: CurrentRun, standing: Standing) -> Standing:
    """The standing with what the annotation says of its plan."""
    if not is_asked(run, standing) or not standing.plan.digest or has_begun(run, standing):
        return standing
    return replace(standing, plan=_answered(snapshot, standing.plan))


def is_asked(run: CurrentRun, standing: Standing) -> bool:
    """Whether the plan of this run needs an approval: always when it takes revisions back."""
    return run.spec.plan.approval == "Required" or bool(_taken_back(standing))


def _taken_back(standing: Standing) -> tuple[str, ...]:
    """The databases whose plan leads down."""
    return tuple(one.name for one in standing.databases if one.takes_back)


def has_begun(run: CurrentRun, standing: Standing) -> bool:
    """Whether a Job that changes something was ever created for this run."""
    return run.has_touched_databases or any(one.attempt or one.start_time for one in standing.databases)


def what_is_asked(run: CurrentRun, standing: Standing) -> str:
    """What waits for whom, what was approved instead, and the command to type."""
    migration, plan = run.migration, standing.plan
    unseen = what_is_unseen(plan, run.spec.lint, migration.name)
    told = f"{unseen} " if unseen else ""
    return (
        f"{_summary(standing)}. {told}{_given(migration)}"
        f"To approve it: {approve_command(migration, plan.digest)}"
    )


def approve_command(migration: Migration, digest: str) -> str:
    """What a person types, whole."""
    where = f"{migration.name} -n {migration.namespace}"
    return f"kubectl annotate dbmig {where} {APPROVE_ANNOTATION}={digest} --overwrite"


def approved_condition(run: CurrentRun, standing: Standing) -> tuple[str, str, str]:
    """Status, reason and message of ``Approved``."""
    plan = standing.plan
    if not is_asked(run, standing):
        return "True", "NotRequired", reason_of("NotRequired").meaning
    if plan.approved_time:
        by = f" by {plan.approved_by}" if plan.approved_by else ""
        return "True", "Approved", f"{plan.digest} was approved{by} at {plan.approved_time}"
    if standing.aborted and not has_begun(run, standing):
        return "False", "Aborted", "the run was aborted before its plan was approved"
    if has_begun(run, standing):
        return "True", "NotRequired", "the run had begun when spec.plan.approval became Required"
    if not standing.plan_is_done:
        return "Unknown", "NotPlanned", "there is no plan to approve yet"
    if standing.is_over:
        return "True", "NothingToDo", "nothing is to be applied, so nothing needs an approval"
    return "False", "WaitingForApproval", what_is_asked(run, standing)


def _answered(snapshot: Snapshot, plan: PlanStatus) -> PlanStatus:
    migration = snapshot.migration
    if migration.approve_token.strip() != plan.digest:
        return replace(plan, approved_by="", approved_time=None)
    return replace(
        plan, approved_by=migration.approved_by, approved_time=plan.approved_time or stamp(snapshot.now)
    )


def _summary(standing: Standing) -> str:
    revisions = standing.plan.revisions or 0
    parts = [f"{one.name}: {one.revisions_total}" for one in standing.databases if one.revisions_total]
    noun = "revision waits" if revisions == 1 else "revisions wait"
    back = _taken_back(standing)
    why = f"; taking revisions back always needs one ({', '.join(back)})" if back else ""
    return f"{revisions} {noun} for approval ({', '.join(parts)}){why}"


def _given(migration: Migration) -> str:
    token = migration.approve_token
    if not token:
        return ""
    shown = token if len(token) <= SHOWN else token[: SHOWN - 1] + "…"
    return (
        f"The approval that was given is for {shown}, which is another plan: the image, the target, the databases "
        "or the revisions they are at have changed since. "
    )
