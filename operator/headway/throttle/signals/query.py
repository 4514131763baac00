"""A signal of the user's own: any query whose number says to hold while it is above 0."""

from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from sqlalchemy.sql.elements import ClauseElement

from headway.throttle.level import Level
from headway.throttle.limits import Limits
from headway.throttle.signals.signal import Ask, Signal, Unreadable, somebody_named_it


@dataclass(frozen=True)
class Query:
    """A question to the database, asked four times a second in a read-only transaction of a side session."""

    name: str
    """As status and log name it, such as ``orders in the queue``."""
    sql: "str | ClauseElement"
    """Its first column of its first row counts: above 0 holds. A text goes to the server as it is."""


def query_signal(query: Query) -> Signal[float]:
    """The signal of a query; where it gives no number, or fails, for 15 s, that holds too."""

    def read(ask: Ask) -> "float | Unreadable":
        # What looks like a value's name to SQLAlchemy is the user's own text.
        rows = ask(query.sql.replace(":", "\\:") if isinstance(query.sql, str) else query.sql)
        value = rows[0][0] if rows else None
        if not isinstance(value, (bool, int, float, Decimal)) or isnan(value):
            return Unreadable(
                "its query gives no number: let it give one in every case, such as coalesce(…, 0)"
            )
        return float(value)

    def judge(value: float, _: Limits) -> Level:
        return Level(query.name, float(value > 0), f"{query.name} is {value:g} (goes on at 0)")

    return Signal(query.name, read, judge, somebody_named_it)
