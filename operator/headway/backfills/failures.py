"""What an error of the database means for a batch. Pure.

The classes are those of PostgreSQL's SQLSTATE (appendix A of its manual), and the numbers of MySQL and
SQLite's words that mean the same.
"""

import re
from dataclasses import dataclass
from enum import Enum

from headway.statements import sqlstate


class Cause(Enum):
    """And what is done about it."""

    DATA = "data"
    """A row does not allow it: never tried again as it is, searched for and parked."""
    BUSY = "busy"
    """A deadlock or a conflict: tried again with half the rows."""
    SLOW = "slow"
    """A lock or the statement took too long: a quarter of the rows."""
    LOST = "lost"
    """The connection is gone: a new one, and the checkpoint tells whether the batch was committed."""
    FATAL = "fatal"
    """Ours or the revision's fault: told at once."""


_STATES = {
    "40P01": Cause.BUSY,
    "40001": Cause.BUSY,
    "55P03": Cause.SLOW,
    "57014": Cause.SLOW,
    "57P01": Cause.LOST,
    "57P02": Cause.LOST,
    "57P03": Cause.LOST,
    "57P05": Cause.LOST,
    "25P03": Cause.LOST,
    "25P04": Cause.LOST,
    "53300": Cause.LOST,
    "54000": Cause.DATA,
}
# Also what a trigger raises (P0), a subquery with two rows for this one (21), and a value too large for an index.
_CLASSES = {"08": Cause.LOST, "21": Cause.DATA, "22": Cause.DATA, "23": Cause.DATA, "P0": Cause.DATA}
_MYSQL = {
    1205: Cause.SLOW,
    3024: Cause.SLOW,
    1969: Cause.SLOW,
    1213: Cause.BUSY,
    1020: Cause.BUSY,
    1040: Cause.LOST,
    1053: Cause.LOST,
    2002: Cause.LOST,
    2003: Cause.LOST,
    2006: Cause.LOST,
    2013: Cause.LOST,
    1048: Cause.DATA,
    1062: Cause.DATA,
    1264: Cause.DATA,
    1265: Cause.DATA,
    1292: Cause.DATA,
    1366: Cause.DATA,
    1406: Cause.DATA,
    1451: Cause.DATA,
    1452: Cause.DATA,
    1644: Cause.DATA,
    1690: Cause.DATA,
    3819: Cause.DATA,
    4025: Cause.DATA,
}
_LOST = re.compile(
    r"(?i)server closed the connection|connection (?:was |is |has been )?(?:closed|lost|reset|refused|not open)"
    r"|connection (?:failed|to server)|consuming input failed|terminating connection|network error|broken pipe"
    r"|could not connect|connection timed out|connection already closed"
)
_LOCKED = re.compile(r"database (?:table )?is locked")


@dataclass(frozen=True)
class Failure:
    """What an exception comes to."""

    cause: Cause
    code: str
    """SQLSTATE or the server's number; empty: there was none."""


def failure_of(error: BaseException) -> Failure:
    """Of an exception that a batch raised."""
    below = getattr(error, "orig", None) or error
    number = below.args[0] if below.args and isinstance(below.args[0], int) else None
    if number in _MYSQL:
        # Before its SQLSTATE, which is HY000 for much.
        return Failure(_MYSQL[number], str(number))
    code = sqlstate(error)
    if code:
        return Failure(_STATES.get(code) or _CLASSES.get(code[:2], Cause.FATAL), code)
    said = str(below)
    is_lost = bool(getattr(error, "connection_invalidated", False)) or _LOST.search(said)
    if is_lost or isinstance(below, (ConnectionError, TimeoutError)):
        return Failure(Cause.LOST, "")
    if _LOCKED.search(said):
        return Failure(Cause.SLOW, "")
    is_data = type(below).__name__ in ("IntegrityError", "DataError")
    return Failure(Cause.DATA if is_data else Cause.FATAL, "")
