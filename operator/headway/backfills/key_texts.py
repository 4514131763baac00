"""The values of a key as texts, and back: what a checkpoint keeps must be the same value in the next
process.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from headway.backfills.known import Column
from headway.backfills.places import Key


@dataclass(frozen=True)
class PostgresTexts:
    """The server's own texts: every type that has an order reads what it has written."""

    columns: "tuple[Column, ...]"
    has_rows: bool = True

    def shown(self, column: str) -> str:
        """As text."""
        return f"CAST({column} AS text)"

    def key(self, row: "Sequence[Any]") -> Key:
        """As they are."""
        return tuple(str(value) for value in row)

    def parameter(self, name: str, number: int) -> str:
        """Two casts: a driver that looks at the type sees a text."""
        return f"CAST(CAST(:{name} AS text) AS {self.columns[number].type})"

    def value(self, text: str) -> str:
        """As it is."""
        return text


_READ: "dict[str, Callable[[str], Any]]" = {
    "int": int,
    "str": str,
    "float": float.fromhex,
    "bytes": bytes.fromhex,
    "Decimal": Decimal,
    "UUID": UUID,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda text: timedelta(microseconds=int(text)),
}
_WRITTEN: "dict[type, Callable[[Any], str]]" = {
    float: float.hex,
    bytes: bytes.hex,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda value: str(value // timedelta(microseconds=1)),
}


@dataclass(frozen=True)
class PythonTexts:
    """The driver's values, each with the name of its type."""

    has_rows: bool

    def shown(self, column: str) -> str:
        """As it is."""
        return column

    def key(self, row: "Sequence[Any]") -> Key:
        """Raises TypeError for a type that has no text here."""
        return tuple(_written(value) for value in row)

    def parameter(self, name: str, number: int) -> str:
        """As it is."""
        return f":{name}"

    def value(self, text: str) -> Any:
        """Of the same type as it was."""
        name, said = json.loads(text)
        return _READ[name](said)


def _written(value: Any) -> str:
    name = type(value).__name__
    if name not in _READ:
        raise TypeError(f"A key of type {name} cannot be gone along. Name another unique key with key=(…).")
    return json.dumps([name, _WRITTEN.get(type(value), str)(value)])
