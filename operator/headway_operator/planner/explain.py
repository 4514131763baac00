"""Sentences for people: what happened, why, and what to do next."""

from datetime import datetime

from headway_contract.failures import next_step_after
from headway_contract.sentences import sentence
from headway_operator.api.reasons import Reason

LIMIT_CHARACTERS = 1000
_AFTER = ", after: "


def explain(reason: Reason, happened: str, migration_name: str) -> str:
    """The reason's meaning, what was seen of it, and the next step."""
    step = next_step_after(reason.name, reason.next_step, happened).replace("NAME", migration_name)
    room = LIMIT_CHARACTERS - len(reason.meaning) - len(step) - 2
    seen = happened if len(happened) <= room else happened[: room - 1] + "…"
    # "Revision a2 (add a status) failed: …" says all that the meaning would, and lines are short.
    meaning = "" if reason.name == "RevisionFailed" and seen.startswith("Revision ") else reason.meaning
    return " ".join(part for part in (meaning, sentence(seen), step) if part)


def attempt_text(failures: int, attempts: int) -> str:
    """``attempt 2 of 4``; '' for the first, which needs no word. Attempts that were stopped do not count."""
    return f"attempt {failures + 1} of {attempts}" if failures else ""


def begun_text(which: str, reason: str, message: str) -> str:
    """``attempt 2 of 4, after: The database could not be reached.``: of a failure's message its first sentence."""
    first = message.partition(". ")[0].rstrip(".")
    return f"{which}{_AFTER}{first}." if which and reason and first else which


def going_on_text(which: str, does: str, before: str) -> str:
    """Which attempt it is and what it ``does``; until that is known, what the status said ``before``."""
    if not does and which and before.startswith(f"{which}{_AFTER}"):
        return before
    return ": ".join(filter(None, (which, does)))


def outlook(failures: int, attempts: int, goes_on: bool) -> str:
    """What a failed attempt means for those after it; '' where there were never to be any."""
    if goes_on:
        return f" Attempt {failures} of {attempts} failed."
    return f" Given up after {failures} attempts." if failures > 1 else ""


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the Kubernetes API writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime | None:
    """The time of such a text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
