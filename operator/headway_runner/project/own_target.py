"""Where the application's own command wants to go, and what it may be held to although it decides by itself.

Rule: the command is run several times, so only what is the same each time can be planned and verified.
"""

from collections.abc import Callable

from alembic.script import ScriptDirectory

from headway_contract.planned import Planned, is_relative
from headway_contract.result import Failure, PendingRevision
from headway_runner.project import history
from headway_runner.project.alembic_env import Step, revision_of
from headway_runner.words.run_failed import RunFailed

SHOWN = 5


def hold_to_upgrades(targets: tuple[str, ...], steps: list[Step]) -> None:
    """Raises :class:`RunFailed` with ``InvalidTarget``: the command may only lead up, to a target that stays."""
    relative = [one for one in targets if is_relative(one)]
    if relative:
        raise _refused(f"The command names the relative target {relative[0]}, which is another one each time")
    down = [revision_of(step) for step in steps if not step.is_upgrade]
    if down:
        raise _refused(f"The command would take {', '.join(down[:SHOWN])} back")


def hold_to_the_look(expected: tuple[str, ...] | None, steps: list[Step]) -> None:
    """Raises :class:`RunFailed` with ``PlanChanged``: under the lock, nothing may run that the look did not see."""
    more = [revision_of(step) for step in steps if expected is not None and revision_of(step) not in expected]
    if more:
        raise RunFailed(
            Failure("PlanChanged", f"It would now also run {', '.join(more[:SHOWN])}, which was not planned.")
        )


def what_was_planned(
    planned: Planned | None,
    script: ScriptDirectory,
    heads: tuple[str, ...],
    compute: Callable[[tuple[str, ...]], list[Step]],
) -> tuple[PendingRevision, ...]:
    """What would run from where the plan started, as far as this history knows it."""
    if planned is None:
        return ()
    known = [start for start in planned.starts if all(history.knows(script, head) for head in start)]
    return tuple(history.pending(step) for start in known for step in compute(start))


def _refused(what: str) -> RunFailed:
    return RunFailed(Failure("InvalidTarget", f"{what}; the command must name a revision above or 'heads'."))
