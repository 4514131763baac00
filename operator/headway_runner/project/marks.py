"""``post_deploy = True`` in a revision file: what may wait until the application is rolled out.

Rule: only what nothing before the gate needs may wait. So what waits is closed: whatever comes after a revision that
waits, waits too. A marked revision in the middle runs in its place, and is told.
"""

from collections.abc import Sequence

from alembic.script import Script

from headway_contract.records import dataclass
from headway_contract.request import Part
from headway_contract.result import Failure
from headway_runner.project.alembic_env import Step, parents_of, revision_of
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.titles import named

MARK = "post_deploy"


@dataclass(frozen=True)
class Marked:
    """A revision that is to be applied, with what it comes after and whether its file has the mark."""

    revision: str
    parents: tuple[str, ...]
    is_marked: bool


def has_mark(script: Script) -> bool:
    """Whether the revision's file says ``post_deploy = True``; raises :class:`RunFailed` for any other value."""
    value = getattr(script.module, MARK, False)
    if not isinstance(value, bool):
        name = named(str(script.revision), str(script.doc or ""))
        raise RunFailed(
            Failure(
                "InvalidHistory",
                f"Revision {name} has {MARK} = {str(value)[:40]!r}; it must be True or False.",
                str(script.revision),
            )
        )
    return value


def may_wait(revisions: Sequence[Marked]) -> frozenset[str]:
    """Of revisions in an order in which they can run: the marked ones that no unmarked one comes after. Pure."""
    needed: set[str] = set()
    for one in reversed(revisions):
        if not one.is_marked or one.revision in needed:
            needed.update((one.revision, *one.parents))
    return frozenset(one.revision for one in revisions) - needed


def those_that_wait(steps: Sequence[Step]) -> frozenset[str]:
    """The revisions of an upgrade's steps that may wait; raises :class:`RunFailed` for a mark that means nothing."""
    return may_wait(_marked(steps))


def those_in_the_middle(steps: Sequence[Step]) -> tuple[str, ...]:
    """A sentence for each marked revision that cannot wait, because an unmarked one comes after it."""
    revisions = _marked(steps)
    waits = may_wait(revisions)
    titles = {revision_of(step): str(step.doc or "") for step in steps}
    return tuple(
        f"Revision {named(one.revision, titles[one.revision])} is marked {MARK}, but revisions come after it that "
        "are not: it runs in its place, before the application is rolled out."
        for one in revisions
        if one.is_marked and one.revision not in waits
    )


def parted(steps: list[Step], part: Part) -> tuple[list[Step], list[Step]]:
    """The steps that this part of the work has, and those that it leaves for behind the gate."""
    if part is Part.ALL:
        return steps, []
    waits = those_that_wait(steps)
    return (
        [step for step in steps if revision_of(step) not in waits],
        [step for step in steps if revision_of(step) in waits],
    )


def _marked(steps: Sequence[Step]) -> tuple[Marked, ...]:
    """None of a downgrade or a stamp: there the mark means nothing."""
    if not all(step.is_upgrade and getattr(step, "revision", None) is not None for step in steps):
        return ()
    return tuple(Marked(revision_of(step), parents_of(step), has_mark(step.revision)) for step in steps)
