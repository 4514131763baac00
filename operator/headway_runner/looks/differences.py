"""Alembic's differences between models and a database as sentences. Pure.

What Alembic gives is what autogenerate would do to the database: a tuple, or a list of tuples for one column.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headway_contract.drift import Difference

Diff = tuple[Any, ...]


def differences_of(diffs: Iterable[Any]) -> tuple[Difference, ...]:
    """All of them, by name: Alembic's order is not the same in every release."""
    return tuple(sorted((_difference(diff) for diff in _flat(diffs)), key=lambda one: (one.name, one.kind)))


def _flat(diffs: Iterable[Any]) -> Iterator[Diff]:
    for diff in diffs:
        if isinstance(diff, list):
            yield from diff
        else:
            yield diff


def _difference(diff: Diff) -> Difference:
    kind = str(diff[0])
    what, _, noun = kind.partition("_")
    if what == "modify":
        name = f"{_qualified(diff[1], diff[2])}.{diff[3]}"
        return Difference(kind, name, f"{name}: {_CHANGES.get(kind, _another)(diff)}")
    name = _named(diff)
    there, not_there = ("models", "database") if what == "add" else ("database", "models")
    shown = f"{_NOUNS.get(noun, noun.replace('_', ' '))} {name}"
    return Difference(kind, name, f"{shown} is in the {there} and not in the {not_there}")


_NOUNS = {"fk": "foreign key", "table_comment": "the comment of table"}


def _named(diff: Diff) -> str:
    if diff[0] in ("add_column", "remove_column"):
        return f"{_qualified(diff[1], diff[2])}.{diff[3].name}"
    thing = diff[1]
    table = getattr(thing, "table", None)
    name = str(getattr(thing, "name", None) or "without a name")
    if table is None:
        return _qualified(getattr(thing, "schema", None), name)
    return f"{name} on {_qualified(table.schema, table.name)}"


def _qualified(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else str(name)


def _nullable(diff: Diff) -> str:
    return (
        "NULL is allowed in the database and not in the models"
        if diff[5]
        else ("NULL is allowed in the models and not in the database")
    )


def _type(diff: Diff) -> str:
    return f"the type is {diff[5]!r} in the database and {diff[6]!r} in the models"


def _default(diff: Diff) -> str:
    """Without the values: a default may hold anything."""
    return "the server default is another one in the models than in the database"


def _comment(diff: Diff) -> str:
    return "the comment is another one in the models than in the database"


def _another(diff: Diff) -> str:
    return f"{str(diff[0]).removeprefix('modify_').replace('_', ' ')} is another in the models than in the database"


_CHANGES: dict[str, Callable[[Diff], str]] = {
    "modify_nullable": _nullable,
    "modify_type": _type,
    "modify_default": _default,
    "modify_comment": _comment,
}
