"""Which fields of events, results and plans are texts: what may be changed in them, above all masked.

Rule: every string is a text unless its field is named here, so a field that is added later is masked until somebody
says that it is an identifier, by which things are told apart and which must stay as it is.
"""

import dataclasses
from collections.abc import Callable, Hashable
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

from headway_contract.events import DocumentPart

T = TypeVar("T")

IDENTIFIERS = frozenset(
    {
        # the run and its place
        "run", "mode", "database", "system", "dialect", "server_version", "python", "alembic", "sqlalchemy",
        # revisions and digests
        "revision", "revisions", "current", "target", "absolute_target", "applied", "heads", "unknown", "unfinished",
        "down_revisions", "branch_labels",
        "from_revision", "to_revision", "starts", "image_heads", "sha256", "file_sha256", "plan_sha256", "digest",
        "looked",
        # names of failure classes, of states of the database and of its indexes
        "name", "sqlstate", "indexes", "invalid_indexes",
        # what a backfill or the building of an index works on, and how
        "operation", "table", "columns", "defaults", "index", "strategy", "pace",
    }
)  # fmt: skip
"""Names of fields, the same in every class. One that holds dataclasses instead of strings is looked into."""

SPLIT_DOCUMENTS = "text"
"""A piece of a document, whose texts were masked before it was split: its digest would not fit any more."""


def with_texts(value: T, change: Callable[[str], str]) -> T:
    """The same value with each of its texts changed; values of other types than ours are refused (TypeError)."""
    changed: T = _changed(value, change)
    return changed


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        return change(value)
    if value is None or isinstance(value, (bool, int, float, Enum)):
        return value
    if isinstance(value, str):
        return change(str(value))
    if isinstance(value, tuple):
        return tuple(_changed(item, change) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _with_changed_fields(value, change)
    raise TypeError(f"a {type(value).__name__} may hold texts that nobody can see")


def _with_changed_fields(value: Any, change: Callable[[str], str]) -> Any:
    fresh = {}
    for name in names_of_texts(value.__class__):
        before = getattr(value, name)
        after = _changed(before, change)
        if after != before:
            fresh[name] = after
    return dataclasses.replace(value, **fresh) if fresh else value


@lru_cache(maxsize=None)
def names_of_texts(kind: Hashable) -> tuple[str, ...]:
    """The fields of a class that may hold texts, in themselves or deeper inside."""
    hints = get_type_hints(kind)
    split = SPLIT_DOCUMENTS if kind is DocumentPart else ""
    return tuple(
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.name != split and (field.name not in IDENTIFIERS or _holds_dataclasses(hints[field.name]))
    )


def _holds_dataclasses(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint) or any(map(_holds_dataclasses, get_args(hint)))
