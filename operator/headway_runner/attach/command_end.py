"""What a pass through the application's own command has found or done, from what its processes reported. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headway_contract.records import dataclass
from headway_contract.result import Failure
from headway_contract.sentences import sentence
from headway_runner.looks.inspection import GOES_ON, merged
from headway_runner.processes.child import NOTHING_KEPT, Kept
from headway_runner.processes.task import Application, Inspection, NotEnded, Report

OF_ONE_PROCESS = ("WrongDatabase", "NeverConfigured")
"""A process may have had other things to do, as long as another one was seen in the database that was asked for."""


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended."""

    command: str
    """For people."""
    status: int
    """Its exit code, negative for a signal."""
    reports: tuple[Report, ...] = ()
    """The last of each process; the latest process last."""
    kept: Kept = NOTHING_KEPT
    """What of a revision was committed while it ran, as it was told last."""
    hooked: bool = True
    """A Python in it loaded the hook."""
    old_python: str = ""
    """The version of a Python that was too old."""
    asked_to_stop: bool = False

    @property
    def end(self) -> str:
        """How it ended, for people."""
        if self.status < 0:
            return f"{self.command} was ended by signal {-self.status}"
        return f"{self.command} ended with exit code {self.status}"


def inspection_of(end: CommandEnd) -> Inspection:
    """What was seen. A command that fails after Alembic has looked is no failure: its schema may be yet to come.

    Without an upgrade it counts what the command asked Alembic, if all was at its head and the command ended well.
    """
    views = [report.outcome for report in end.reports if isinstance(report.outcome, Inspection)]
    failure = _failure(end) or _hidden(end)
    if failure is not None:
        return Inspection(failure=failure)
    left = _not_ended(views, "seen")
    hidden = next((one.failure for one in left if one.failure is not None), None)
    if not any(view.contexts for view in views):
        return Inspection(failure=hidden) if hidden is not None else _without_an_upgrade(end, merged(views))
    # Of a process that only asked, another one's upgrade says the same and more.
    seen = replace(merged([view for view in views if view.contexts]), not_ended=left)
    if hidden is not None and not seen.pending:
        return Inspection(failure=hidden)
    if hidden is not None:
        seen = replace(seen, warnings=(GOES_ON.format(hidden.message), *seen.warnings))
    return replace(seen, one_transaction=any(view.one_transaction for view in views))


def _without_an_upgrade(end: CommandEnd, answers: Inspection) -> Inspection:
    has_ended_well = end.status == 0 and not end.old_python
    if has_ended_well and answers.asked and not answers.behind:
        return answers
    return Inspection(failure=_nothing_seen(end), unseen=has_ended_well)


def application_of(end: CommandEnd) -> Application:
    """What was done."""
    runs = [report.outcome for report in end.reports if isinstance(report.outcome, Application)]

    def joined(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one for run in runs for one in getattr(run, name)))

    swallowed = [report.swallowed for report in end.reports if report.swallowed is not None]
    seen = [run.seen for run in runs if run.seen is not None] or swallowed
    unfinished = next((run.unfinished for run in reversed(runs) if run.unfinished), "")
    kept = end.kept.statements if unfinished and end.kept.revision == unfinished else ()
    done = Application(
        current=joined("current"),
        applied=joined("applied"),
        heads=joined("heads"),
        unfinished=unfinished,
        kept=joined("kept") or kept,
        stopped=end.asked_to_stop or any(run.stopped for run in runs),
        place_of_stop=next((run.place_of_stop for run in reversed(runs) if run.place_of_stop), ""),
        backfills=joined("backfills"),
        indexes=joined("indexes"),
        contexts=sum(run.contexts for run in runs),
        tables=tuple({(one.schema, one.name): one for run in runs for one in run.tables}.values()),
        completed=sum(run.completed for run in runs),
        ended=joined("ended"),
        not_ended=_not_ended(runs, "ended"),
        failure=_failure(end) or _hidden(end),
        seen=seen[-1] if seen else None,
    )
    return replace(done, failure=done.failure or _failure_of_the_command(end, done))


def _not_ended(outcomes: Sequence[Any], ended: str) -> tuple[NotEnded, ...]:
    """Migration contexts that began and did not end, unless a later process has brought them to their end."""
    return tuple(
        one
        for number, outcome in enumerate(outcomes)
        for one in outcome.not_ended
        if not any(one.place in getattr(later, ended) for later in outcomes[number + 1 :])
    )


def _failure(end: CommandEnd) -> Failure | None:
    """What Alembic raised last and the command could do nothing about."""
    ran = any(report.outcome.contexts for report in end.reports)
    failure = end.reports[-1].outcome.failure if end.reports else None
    return None if failure is not None and ran and failure.name in OF_ONE_PROCESS else failure


def _hidden(end: CommandEnd) -> Failure | None:
    """What an upgrade raised before it had come to the database, where the command ended as if that were nothing.

    Another try of the same upgrade makes it good. An exit code that says so is told in another place, and so is what
    was raised once its place was known.
    """
    if end.status or end.asked_to_stop:
        return None
    looked = {key for report in end.reports for key in report.looked}
    missed = [one.failure for report in end.reports for one in report.missed if one.digest not in looked]
    if not missed:
        return None
    told = (
        f"An upgrade ended with this before it had come to the database, and {end.end} as if all were well: "
        "let the command end with an error, or try that upgrade again."
    )
    return replace(missed[-1], message=f"{sentence(missed[-1].message)} {told}")


def _failure_of_the_command(end: CommandEnd, done: Application) -> Failure | None:
    if not done.contexts and not end.asked_to_stop:
        return _nothing_seen(end)
    if end.status == 0 or end.asked_to_stop:
        return None
    where = f" while revision {done.unfinished} was running" if done.unfinished else ""
    return done.seen or Failure("CommandFailed", f"{end.end}{where}.", done.unfinished)


def _nothing_seen(end: CommandEnd) -> Failure:
    """Alembic was not seen at work."""
    if end.old_python:
        sentence = f"The command runs Alembic on Python {end.old_python}, but 3.10 or newer is needed."
        return Failure("OldPython", sentence)
    if not end.hooked:
        return Failure("NeverAttached", f"{end.end}, and no Python that it started has loaded the hook.")
    if end.status:
        return Failure("CommandFailed", f"{end.end} before Alembic looked at the database.")
    return Failure(
        "NeverAttached", f"{end.end}, and Alembic was not seen to upgrade in any of its processes."
    )
