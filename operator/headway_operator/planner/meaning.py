"""What the failure of a database means for the run: the event beside the one that says what happened to it. Pure."""

from headway_contract.sentences import sentence
from headway_operator.api.conditions import GATE_OPEN
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Stage, Status

AGAIN = (
    "Once that is mended, another specification (such as a new image) or this starts a run that goes on from there: "
    "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite"
)


def of_the_end(status: Status, name: str) -> str:
    """What became of the others of a run that a database ended, and what starts the next; '' of any other end."""
    failed, succeeded = _in_phase(status, DatabasePhase.FAILED), status.condition("Succeeded")
    # Of a specification that is refused, the status keeps how the run before it ended.
    if succeeded is None or succeeded.reason not in [one.reason or "DatabaseFailed" for one in failed[:1]]:
        return ""
    skipped = _in_phase(status, DatabasePhase.SKIPPED)
    begun = [one for one in skipped if one.attempt or one.stage is Stage.POST_DEPLOY]
    ready = status.condition("Ready")
    is_open = ready is not None and (ready.status, ready.reason) == ("True", GATE_OPEN)
    parts = (
        f"The run has failed at {', '.join(f'{one.name} ({one.reason})' for one in failed)}",
        _named("Not started because of it", [one for one in skipped if one not in begun]),
        _named("Not gone on with because of it", begun),
        _named("At the target", _in_phase(status, DatabasePhase.SUCCEEDED)),
        "The application may roll out all the same" if is_open else "",
    )
    return " ".join((*(sentence(part) for part in parts if part), AGAIN.replace("NAME", name)))


def of_the_pause(status: Status, attempts: int) -> str:
    """When the next attempts start, and what waits beside them; '' when no database is between two."""
    waiting = _in_phase(status, DatabasePhase.WAITING)
    if not waiting:
        return ""
    next_ones = (
        f"{one.name}: attempt {one.failures + 1} of {attempts} starts at {one.retry_time}" for one in waiting
    )
    parts = (
        "; ".join(next_ones),
        _named("At work meanwhile", [one for one in status.databases if one.phase.is_working]),
        _named("Not started yet", _in_phase(status, DatabasePhase.PENDING)),
    )
    return " ".join(sentence(part) for part in parts if part)


def _in_phase(status: Status, phase: DatabasePhase) -> list[DatabaseStatus]:
    return [one for one in status.databases if one.phase is phase]


def _named(what: str, databases: list[DatabaseStatus]) -> str:
    return f"{what}: {', '.join(one.name for one in databases)}" if databases else ""
