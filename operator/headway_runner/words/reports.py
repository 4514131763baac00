"""What a person reads in the container's log besides the events: on stderr, without secrets."""

from headway_contract.failures import next_step_after
from headway_contract.result import Outcome, RunResult
from headway_contract.sentences import counted, sentence
from headway_runner.words.secrecy import mask
from headway_runner.words.standard_streams import write_error


def say(text: str) -> None:
    """One line."""
    write_error(f"headway: {mask(text)}\n")


def last_words(result: RunResult) -> str:
    """How it ended, for people."""
    where = f"{result.database}: " if result.database else ""
    if result.failure is not None:
        kind = result.failure.kind
        step = next_step_after(kind.name, kind.next_step, result.failure.message)
        return (
            f"{where}{result.failure.name}: {sentence(result.failure.message)} {kind.meaning} {step}".rstrip()
        )
    heads = ", ".join(result.to_revision) or "the base"
    if result.plan is not None:
        count = sum(len(database.pending) for database in result.plan.databases)
        return f"planned {counted(count, 'revision')} in {counted(len(result.plan.databases), 'database')}"
    if result.outcome is Outcome.STOPPED:
        stopped = _stopped(result, heads)
        return f"{where}{sentence(stopped)} {result.notice}" if result.notice else f"{where}{stopped}"
    return f"{where}at {heads}, {counted(result.applied_count, 'revision')} applied"


def _stopped(result: RunResult, heads: str) -> str:
    if not result.pending_count:
        return "stopped; the next run looks where the database is, and goes on there"
    return f"stopped at {heads}, {counted(result.pending_count, 'revision')} to go; the next run goes on here"
