"""Is what would run now still what the plan showed? Asked by the first look, and again under the lock.

Rule: the heads may have gone on along the plan, because another attempt may have done a part of it, and the rest is
then right to do. Everything else (other files, a database that went elsewhere or back) needs another plan.
"""

from collections.abc import Callable, Sequence

from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from headway_contract.planned import Planned, digest_of
from headway_contract.result import Failure
from headway_runner.processes.task import Inspection
from headway_runner.project import history
from headway_runner.project.alembic_env import Step
from headway_runner.words.run_failed import RunFailed

Compute = Callable[[tuple[str, ...]], list[Step]]
"""The steps that Alembic would run from these heads."""


def hold_to(
    planned: Planned | None, target: str, script: ScriptDirectory, heads: Sequence[str], compute: Compute
) -> None:
    """Raises :class:`RunFailed` with ``PlanChanged`` when going on from ``heads`` would not be what was planned."""
    if planned is None:
        return
    steps = [step for start in planned.starts if _are_known(script, start) for step in compute(start)]
    the_files_are_the_same(planned, target, script, steps)
    shown = {str(step.revision.revision) for step in steps}
    the_database_is_on_the_planned_way(planned, heads, shown | _below(steps, planned.downgrade))
    if not _are_known(script, heads):
        return  # One of several contexts is ahead of the image, as the plan showed it.
    more = [revision for revision in _ids(compute(tuple(heads))) if revision not in shown]
    if more:
        raise _changed(f"It would now also run {_listed(more)}, because the database is at {_listed(heads)}.")


def hold_to_the_plan(planned: Planned | None, seen: Inspection) -> None:
    """The same for a look through the application's own command, whose contexts may have a target each.

    Raises :class:`RunFailed` with ``PlanChanged``.
    """
    if planned is None or seen.failure is not None or seen.unknown:
        return
    has_moved = seen.starts != planned.starts
    steps = seen.replanned if has_moved else (*seen.pending, *seen.post_deploy)
    revisions = {(one.revision, one.file_sha256) for one in steps}
    if digest_of(planned.starts, seen.target, planned.downgrade, revisions) != planned.digest:
        now = _listed([one.revision for one in seen.pending]) or "nothing"
        raise _changed(
            "The revision files of the image, or the targets of the command, are not those that were planned: "
            f"{now} would run now."
        )
    shown = {revision for revision, _ in revisions}
    the_database_is_on_the_planned_way(planned, seen.current, shown)
    more = [one.revision for one in seen.pending if one.revision not in shown]
    if more:
        raise _changed(
            f"It would now also run {_listed(more)}, because the database is at {_at(seen.current)}."
        )


def the_files_are_the_same(
    planned: Planned, target: str, script: ScriptDirectory, steps: Sequence[Step]
) -> None:
    """The same revisions with the same content, to the same target."""
    revisions = {(one.revision, one.file_sha256) for one in map(history.pending, steps)}
    goal = history.resolve(script, target, list(steps))
    if digest_of(planned.starts, goal, planned.downgrade, revisions) != planned.digest:
        now = _listed(list(dict.fromkeys(_ids(steps)))) or "nothing"
        raise _changed(
            "The revision files of the image, or the target, are not those that were planned: "
            f"from where the plan started, {now} would run now."
        )


def the_database_is_on_the_planned_way(planned: Planned, heads: Sequence[str], way: set[str]) -> None:
    """Each of its heads is one from which the plan started, or one that the plan leads to."""
    way = way.union(*planned.starts)
    emptied = not heads and () not in planned.starts and bool(planned.target)
    if emptied or not way.issuperset(heads):
        started = "; ".join(map(_at, planned.starts))
        raise _changed(
            f"The database is now at {_at(heads)}, to which the plan did not lead: it started from {started}."
        )


def _are_known(script: ScriptDirectory, heads: Sequence[str]) -> bool:
    return all(history.knows(script, head) for head in heads)


def _below(steps: Sequence[Step], downgrade: bool) -> set[str]:
    """What a downgrade leaves the database at, on its way."""
    if not downgrade:
        return set()
    parents = (to_tuple(which) for step in steps for which in _parents(step) if which)
    return {str(parent) for some in parents for parent in some}


def _parents(step: Step) -> tuple[object, object]:
    return step.revision.down_revision, step.revision.dependencies


def _ids(steps: Sequence[Step]) -> list[str]:
    return [str(step.revision.revision) for step in steps]


def _at(heads: Sequence[str]) -> str:
    return _listed(heads) or "an empty version table"


def _listed(revisions: Sequence[str], shown: int = 5) -> str:
    more = f" and {len(revisions) - shown} more" if len(revisions) > shown else ""
    return ", ".join(revisions[:shown]) + more


def _changed(what: str) -> RunFailed:
    return RunFailed(Failure("PlanChanged", what))
