"""Which revisions come along although the target did not ask for their branch."""

from __future__ import annotations

from collections.abc import Iterable

from alembic.script import Script, ScriptDirectory


def own_of(directory: ScriptDirectory, targets: Iterable[str]) -> frozenset[str]:
    """The targets and whatever is below them in their own branch; what they only depend on is not."""
    seen: set[str] = set()
    todo = list(targets)
    while todo:
        script = directory.get_revision(todo.pop())
        if script is not None and script.revision not in seen:
            seen.add(str(script.revision))
            todo.extend(parents_of(script))
    return frozenset(seen)


def parents_of(script: Script) -> tuple[str, ...]:
    """Its ``down_revision``, one or several."""
    below = script.down_revision
    if below is None:
        return ()
    return (below,) if isinstance(below, str) else tuple(map(str, below))
