"""Revisions that do something in some environments only, and say what they left out elsewhere."""

import os

from headway.facts import Noticed, tell
from headway.place import Place, here

VARIABLE = "ENVIRONMENT"
"""The operator exports ``spec.environment`` under this name."""


def in_environment(*environments: str, otherwise: str = "") -> bool:
    """Whether the revision runs in one of these environments, by the variable ``ENVIRONMENT``.

    ::

        if in_environment("production", "staging", otherwise="events has no partitions here"):
            …

    When not, that is reported and logged (in a script it is a comment), because the revision counts as applied all
    the same: ``otherwise`` says what that means, as a short sentence without a full stop. A downgrade may find the
    database of another environment: let it look what is there (``if_exists=True``, :func:`drop_index_concurrently`)
    rather than ask again. A variable that is not set is no environment. Names are compared without regard to case
    and to spaces around them.

    Takes no locks. Raises :class:`ValueError` without any name.
    """
    if not environments:
        raise ValueError("in_environment() needs the name of an environment, for example 'production'.")
    actual = os.environ.get(VARIABLE, "").strip()
    if actual.lower() in {name.strip().lower() for name in environments if name.strip()}:
        return True
    _say(here(), _sentence(environments, actual, otherwise))
    return False


def _sentence(environments: "tuple[str, ...]", actual: str, otherwise: str) -> str:
    found = f"{VARIABLE} is {actual}" if actual else f"{VARIABLE} is not set"
    meaning = f": {otherwise.rstrip('.')}" if otherwise else ""
    return (
        f"Skipped, because it is for {' or '.join(environments)} and {found}{meaning}. The revision counts as "
        "applied, and will not do it later."
    )


def _say(place: Place, sentence: str) -> None:
    if place.is_offline:
        place.write(f"-- {' '.join(sentence.split())}")
    else:
        tell(place.link, Noticed(sentence))
