"""Questions to the user's revision files, once env.py has run (it may still change where they are)."""

import hashlib
import re
from dataclasses import replace

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from headway_contract.planned import is_relative
from headway_contract.result import Failure, PendingRevision, shorten
from headway_runner.project.alembic_env import Step, revision_of
from headway_runner.project.marks import those_that_wait
from headway_runner.project.revision_files import what_is_wrong
from headway_runner.project.targets import no_such_target
from headway_runner.words.failures import failure_of
from headway_runner.words.run_failed import RunFailed

SYMBOLS = re.compile(r"^([^@]+@)?heads?$")


def load(script: ScriptDirectory) -> None:
    """Read all revision files; raises :class:`RunFailed` that names the file which breaks the history."""
    try:
        script.get_heads()
    except Exception as error:
        failure = failure_of(error, loading=True)
        if failure.name == "InvalidHistory":
            failure = replace(failure, message=shorten(what_is_wrong(script, error)))
        raise RunFailed(failure) from error


def knows(script: ScriptDirectory, revision: str) -> bool:
    """Whether the image contains exactly this revision (Alembic itself takes prefixes too)."""
    try:
        found = script.get_revision(revision)
    except CommandError:
        return False
    return found is not None and found.revision == revision


def is_symbolic(target: str) -> bool:
    """``head``, ``heads``, ``label@head``: the newest, which no database of this image is past."""
    return bool(SYMBOLS.match(target))


def resolve(script: ScriptDirectory, target: str, steps: list[Step]) -> tuple[str, ...]:
    """The revisions that the target means; raises :class:`RunFailed`, or Alembic's CommandError."""
    if is_relative(target):
        if not steps:
            raise RunFailed(
                Failure("InvalidTarget", f"There is no revision {target} from where the database is.")
            )
        return (str(steps[-1].revision.revision),)
    try:
        return tuple(str(found.revision) for found in script.get_revisions(target) if found is not None)
    except CommandError as error:
        if failure_of(error).name != "UnknownTarget":
            raise
        raise RunFailed(Failure("UnknownTarget", no_such_target(script, target))) from error


def is_past(script: ScriptDirectory, heads: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Whether a head of the database comes after a target that it is not at."""
    behind = {
        found.revision
        for head in heads
        for found in script.iterate_revisions(head, "base")
        if found is not None and found.revision != head
    }
    return bool(behind.intersection(target))


def pending(step: Step, waits: bool = False) -> PendingRevision:
    """A step as the plan shows it; ``waits``: it may run behind the gate."""
    path = getattr(getattr(step, "revision", None), "path", None)
    return PendingRevision(revision_of(step), str(step.doc or ""), digest_of(path) if path else "", waits)


def digest_of(path: str) -> str:
    """Of a revision file; "" when there is none, because only what is compiled of it was kept."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return ""


def all_pending(steps: list[Step]) -> tuple[PendingRevision, ...]:
    """The steps as the plan shows them; raises :class:`RunFailed` for a mark that means nothing."""
    waiting = those_that_wait(steps)
    return tuple(pending(step, revision_of(step) in waiting) for step in steps)
