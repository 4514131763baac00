"""Heads that come after one revision and have no names of their own: perhaps nobody meant them to be two.

Two people who each add a revision to the same head make such a fork. Where it is meant the branches have labels, or
each has a base of its own: of those nothing is said.
"""

from collections.abc import Iterable, Iterator, Sequence

from alembic.script import Script, ScriptDirectory

from headway_runner.project import history
from headway_runner.project.alembic_env import Step
from headway_runner.project.targets import few
from headway_runner.words.titles import named


def told_forks(script: ScriptDirectory, targets: Iterable[str], steps: Sequence[Step]) -> tuple[str, ...]:
    """A sentence for each fork that these targets take as it is, while something is to be applied."""
    if not steps or not all(step.is_upgrade for step in steps):
        return ()
    asked = [one for one in targets if one == "heads" or one.endswith("@heads")]
    heads = dict.fromkeys(name for one in asked for name in history.resolve(script, one, []))
    if len(heads) < 2:
        return ()
    found = [one for name in heads if (one := script.get_revision(name)) is not None]
    return tuple(_told(root, group) for root, group in _forks(script, found))


def _forks(script: ScriptDirectory, heads: Sequence[Script]) -> Iterator[tuple[str, list[Script]]]:
    """Heads of the same labels with the newest revision that they have in common."""
    left = list(heads)
    while left:
        first = left.pop(0)
        behind = _behind(script, first)
        others = [one for one in left if one.branch_labels == first.branch_labels]
        shared = [(one, root) for one in others if (root := _newest(_behind(script, one), behind))]
        if shared:
            left = [one for one in left if all(one is not other for other, _ in shared)]
            yield shared[0][1], [first, *(one for one, _ in shared)]


def _behind(script: ScriptDirectory, head: Script) -> list[str]:
    """From the head on down."""
    return [str(one.revision) for one in script.iterate_revisions(head.revision, "base") if one is not None]


def _newest(revisions: Sequence[str], among: Sequence[str]) -> str:
    known = set(among)
    return next((one for one in revisions if one in known), "")


def _told(root: str, heads: Sequence[Script]) -> str:
    names = few(sorted(named(str(one.revision), str(one.doc or "")) for one in heads))
    return (
        f"The history forks after {root} into {len(heads)} heads without labels of their own, and all are applied: "
        f"{names}. If that is not meant, join them with 'alembic merge'."
    )
