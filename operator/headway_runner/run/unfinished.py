"""What a run leaves behind: the revision that was begun and has not ended, and what became of earlier ones.

An env.py that goes from tenant to tenant may hide what a revision raised and go on elsewhere, so each is kept.
"""

from collections.abc import Callable
from dataclasses import replace

from alembic.runtime.migration import MigrationContext

from headway_contract.result import Failure
from headway_runner.project.contexts import (
    NEEDS_ITS_OWN_TRANSACTION,
    TOO_LONG,
    Left,
    at,
    is_missing_transaction,
    is_too_long,
)
from headway_runner.project.revision_files import line_in
from headway_runner.run.library import SafeStop
from headway_runner.run.verdict import listed
from headway_runner.statements.transactions import TransactionWatch
from headway_runner.words.failures import failure_of
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.titles import named

_OF_THE_FILE = ("RevisionFailed", "PermissionDenied")
"""Failures that a person looks for in the revision's file; of the others its line would say nothing."""


class Unfinished:
    """Of one run."""

    def __init__(self, watch: TransactionWatch, explanation: Callable[[BaseException], str]) -> None:
        """``explanation``: who blocked a lock that could not be had."""
        self.revision = ""
        """That was begun and has not ended."""
        self.title = ""
        """Of the revision that was begun last."""
        self.place = ""
        """Of the context that runs."""
        self.line = ""
        """Of the revision's file, where it raised; '' where it is not known."""
        self.error: BaseException | None = None
        """What the unfinished revision raised."""
        self.is_loading = False
        """The revision files are being read."""
        self._watch = watch
        self._explanation = explanation
        self._left: list[Left] = []
        self._file = ""

    def begin(self, revision: str, title: str, file: str) -> None:
        """A revision is about to run."""
        self.revision, self.title, self._file = revision, title, file
        self.error, self.line = None, ""

    def end(self) -> None:
        """It has ended well, also for what was left of an earlier try."""
        self._left = [one for one in self._left if (one.revision, one.place) != (self.revision, self.place)]
        self.revision = ""

    def go_elsewhere(self) -> None:
        """Keep what the unfinished revision raised: env.py has hidden it when it goes on."""
        self._left = self.all()
        self.revision, self.error, self.line = "", None, ""

    def raised(self, error: BaseException, context: "MigrationContext | None") -> BaseException:
        """What the revision's own function raised, in words of ours where Alembic has none."""
        self.error, self.line = error, line_in(self._file, error)
        if is_missing_transaction(error, context):
            sentence = f"Revision {named(self.revision, self.title)} failed: {NEEDS_ITS_OWN_TRANSACTION}."
            # That is env.py's fault, in no line of the revision.
            self.error, self.line = RunFailed(Failure("RevisionFailed", sentence, self.revision)), ""
        return self.error

    def all(self) -> list[Left]:
        """What was left before, and the revision that is unfinished now."""
        if not self.revision or isinstance(self.error, SafeStop):
            return self._left
        failure = None if self.error is None else self._at(self._named(self.error))
        return [*self._left, Left(self.revision, self.place, failure, tuple(self._watch.kept))]

    def failure(self, error: BaseException) -> Failure:
        """What env.py raised, or what it only summed up: then the first revision that failed says more."""
        hidden = next((one.failure for one in self._left if one.failure is not None), None)
        if not self.revision and hidden is not None and not isinstance(error, RunFailed):
            return hidden
        failure = self._named(error)
        return self._at(failure) if self.revision else failure

    def why(self, error: BaseException) -> Failure:
        """What the context that runs has raised, in a revision or outside of any."""
        return self._at(self._named(error))

    def with_what_stays(self, sentence: str) -> str:
        """The next run begins the revision from its top, over what that has committed itself."""
        if not self._watch.kept:
            return sentence
        return (
            f"{sentence} Before that the revision committed: {listed(tuple(self._watch.kept))}. The next run begins "
            "the revision again, so it must allow for finding that there (IF NOT EXISTS, or a revision of its own)."
        )

    def _at(self, failure: Failure) -> Failure:
        """With the context and, where the revision is to be corrected, the line of its file."""
        line = self.line if failure.name in _OF_THE_FILE else ""
        told = replace(failure, message=failure.message.rstrip(".")) if line else failure
        return at(", ".join(filter(None, (self.place, line))), told)

    def _named(self, error: BaseException) -> Failure:
        """The failure, and for a lock that could not be had who blocked it."""
        failure = failure_of(error, self.revision, self.is_loading, self.title)
        if self.error is None and is_too_long(failure.sqlstate, self.revision):
            name = named(self.revision, self.title)
            return replace(failure, message=f"Revision {name} cannot be recorded: {TOO_LONG}.")
        # The operations library tells itself who blocked each of its tries.
        tells_blockers = getattr(error, "tells_blockers", False)
        if failure.name != "LockTimeout" or isinstance(error, RunFailed) or tells_blockers:
            return failure
        return replace(failure, message=f"{failure.message.rstrip('.')}. {self._explanation(error)}")
