"""After a run through a command that then has nothing left to upgrade: is a look of our own needed, and what of it?

Pure; the look is in ``own_look.py``.
"""

from dataclasses import replace

from headway_contract.result import Failure
from headway_runner.processes.task import Application, Inspection, VersionTable


def is_needed(run: Application, after: Inspection) -> bool:
    """The run came to the end of all that it began, and the command did not let all of it be looked at again."""
    has_failed = run.failure is not None or run.seen is not None or bool(run.unfinished)
    if not run.tables or has_failed or run.contexts != run.completed:
        return False
    return after.unseen or (after.failure is None and not after.pending and after.contexts < run.completed)


def as_the_run_left_it(run: Application, after: Inspection, found: Inspection) -> Inspection:
    """The look, completed by what the tables say; with a failure where one is not as the run left it. Pure."""
    if found.failure is not None:
        return found
    now = {(one.schema, one.name): one for one in found.asked}
    for left in run.tables:
        seen = now.get((left.schema, left.name))
        if seen is None:
            # Nobody has looked at it.
            return after
        if seen.heads != left.heads:
            return replace(after, failure=_moved(left, seen))
    current = tuple(dict.fromkeys(head for one in run.tables for head in one.heads))
    indexes = tuple(dict.fromkeys((*after.invalid_indexes, *found.invalid_indexes)))
    return replace(
        after,
        failure=None,
        unseen=False,
        current=current,
        post_deploy=run.post_deploy,
        contexts=run.completed,
        invalid_indexes=indexes,
    )


def _moved(left: VersionTable, seen: VersionTable) -> Failure:
    def at(table: VersionTable) -> str:
        return f"at {', '.join(table.heads)}" if table.heads else "empty or not there"

    return Failure(
        "NotPersisted", f"The version table {left.shown} is {at(seen)}; the run had left it {at(left)}."
    )
