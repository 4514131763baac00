"""Names and texts as PostgreSQL reads them: quoted always, and never longer than it keeps.

PostgreSQL cuts a longer identifier in silence, so that two of them may become the same: a cut one ends with a
digest of the whole.
"""

import hashlib
import json

MAX_BYTES = 63
"""NAMEDATALEN - 1 of a stock server."""
DIGEST = 8
FILLING = "zz_headway_fill_"
"""How the names of triggers begin that fill a new column."""


def identifier(name: str) -> str:
    """One name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str | None, name: str) -> str:
    """A name in its schema, both quoted; without one, as a script for any search path has it."""
    return f"{identifier(schema)}.{identifier(name)}" if schema else identifier(name)


def literal(value: str) -> str:
    """A string constant; with a backslash in the form in which backslashes mean themselves, whatever the settings."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'" if "\\" not in value else "E'" + doubled.replace("\\", "\\\\") + "'"


def bounded(name: str) -> str:
    """The name itself, or its beginning and a digest of the whole where it is longer than :data:`MAX_BYTES` bytes."""
    whole = name.encode()
    if len(whole) <= MAX_BYTES:
        return name
    digest = hashlib.sha256(whole).hexdigest()[:DIGEST]
    return whole[: MAX_BYTES - DIGEST - 1].decode(errors="ignore") + "_" + digest


def distinct(stem: str, *names: str) -> str:
    """A name that no others give, at most :data:`MAX_BYTES` bytes: a digest tells where each of them ends."""
    digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:DIGEST]
    whole = "_".join((stem, *names)).encode()
    return whole[: MAX_BYTES - DIGEST - 1].decode(errors="ignore") + "_" + digest


def dollar_quoted(body: str) -> str:
    """A function's body between dollar quotes that do not occur in it."""
    tag = "headway"
    while f"${tag}$" in body:
        tag += "_"
    return f"${tag}$\n{body}\n${tag}$"
