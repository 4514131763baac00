"""Contexts of databases that nobody lists: each pass leaves them alone, so a plan tells of them.

Rule: only a plan has all databases of its resource. An env.py that goes through those by itself is told nothing.
"""

import os
from collections.abc import Iterable, Mapping, Sequence

from headway_contract.request import DatabaseRequest
from headway_runner.connections.database import raw_url
from headway_runner.words.run_failed import RunFailed

SHOWN = 5


def told_others(
    reached: Iterable[str], databases: Sequence[DatabaseRequest], environment: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """The warning, if there is one; ``reached``: the names of those that the look did not ask for."""
    listed = _names(databases, environment)
    others = sorted(set(reached) - listed) if listed else []
    if not others:
        return ()
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return (
        f"env.py also configures contexts of {', '.join(others[:SHOWN])}{more}, which the resource does not have "
        "under databases; they were left alone, and a run leaves them alone, too. List them there, unless another "
        "resource migrates them.",
    )


def _names(databases: Sequence[DatabaseRequest], environment: Mapping[str, str]) -> set[str]:
    """As their servers call them; empty where the application's own configuration knows one of them alone."""
    names: set[str] = set()
    for database in databases:
        try:
            url = raw_url(database, environment)
        except RunFailed:
            return set()
        if url is None:
            return set()
        name = url.database or url.username or ""
        names.add(os.path.realpath(name) if url.get_backend_name() == "sqlite" else name)
    return names
