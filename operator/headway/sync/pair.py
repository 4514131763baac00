"""Two columns that are one value in two places, and how one becomes the other."""

import json
from dataclasses import dataclass

from headway.sync.names import distinct, identifier, qualified

PREFIX = "zz_headway_sync"
"""PostgreSQL fires the triggers of a table by their names: after the user's own, which may change what is written."""


@dataclass(frozen=True)
class Conversion:
    """From the value of one column to that of the other."""

    expression: str | None = None
    """The user's SQL, in which :attr:`name` stands for the value; None: as PostgreSQL converts it on assignment."""
    name: str = ""
    is_total: bool = True
    """Converts every value; else a value may be refused by an error."""

    def of(self, value: str) -> str:
        """The SQL that converts ``value``, to be assigned to a variable or column of the other type."""
        if self.expression is None:
            return value
        return f"(SELECT {self.expression} FROM (SELECT {value} AS {identifier(self.name)}) AS value)"


@dataclass(frozen=True)
class Side:
    """One of the two columns."""

    name: str
    type: str
    """As ``format_type`` writes it, every name qualified."""
    default: str | None = None
    """What an INSERT that does not name the column puts there, if that is the same twice in a statement."""


@dataclass(frozen=True)
class Pair:
    """What a sync trigger is made from."""

    schema: str
    """Empty in a script that does not name one."""
    table: str
    operation: str
    """The operation's id, by which the triggers are found again."""
    old: Side
    new: Side
    forward: Conversion = Conversion()
    back: Conversion | None = Conversion()
    """None: what is written to the new column does not reach the old one."""
    is_old_nullable: bool = True
    path: str | None = ""
    """Schemas in which names of the user's expressions are looked for, comma-separated and quoted; None: those of the
    session that makes the function."""
    is_comparable: bool = True
    """The old column's type has an equality."""
    is_lossless: bool = False
    """The new type holds each value of the old one, and gives it back."""

    @property
    def is_copy(self) -> bool:
        """The same value in both columns, byte by byte."""
        return self.old.type == self.new.type and self.forward.expression is None

    @property
    def relation(self) -> str:
        """The table, quoted."""
        return qualified(self.schema, self.table)

    @property
    def function(self) -> str:
        """The name of the trigger function, in the table's schema; without a schema and not quoted."""
        return distinct(PREFIX, self.table, self.old.name, self.new.name)

    @property
    def converter(self) -> str:
        """The name of the function that converts for the backfill; not quoted."""
        return converter_name(self.table, self.old.name, self.new.name)

    @property
    def triggers(self) -> tuple[str, str]:
        """The names of the triggers for INSERT and for UPDATE; not quoted."""
        return (
            distinct(f"{PREFIX}_insert", self.old.name, self.new.name),
            distinct(f"{PREFIX}_update", self.old.name, self.new.name),
        )


@dataclass(frozen=True)
class Mark:
    """What the comment on a trigger function says: whose it is, what for, and how values become each other."""

    operation: str
    table: str
    old: str
    new: str
    kind: str
    """``rename`` or ``type``."""
    default: str | None = None
    """What becomes the new column's default in the end, where it could not have it from the beginning."""
    using: str | None = None
    back: str | None = None
    is_one_way: bool = False
    is_lossy: bool = False
    """Somebody has said that what is lost on the way may be lost."""
    path: str = ""
    """Schemas in which names of the expressions are looked for, comma-separated and quoted."""

    def text(self) -> str:
        """The comment."""
        facts = {name: value for name, value in self.__dict__.items() if value not in (None, "", False)}
        return MARKED + json.dumps(facts, separators=(", ", ": "))


def converter_name(table: str, old: str, new: str) -> str:
    """Of the function that converts for the backfill; not quoted."""
    return distinct("headway_convert", table, old, new)


MARKED = "headway sync "


def mark_of(comment: str | None) -> Mark | None:
    """Read a comment; None when it is not one of ours. What a later version has added is skipped."""
    if not comment or not comment.startswith(MARKED):
        return None
    try:
        facts = json.loads(comment[len(MARKED) :])
        return Mark(**{name: value for name, value in facts.items() if name in Mark.__dataclass_fields__})
    except (ValueError, TypeError, AttributeError):
        return None
