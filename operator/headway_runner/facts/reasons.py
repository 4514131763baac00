"""Why a revision cannot be rendered, in a sentence without a full stop: it reads, it connects, it fails, it hangs."""

from __future__ import annotations

import traceback

from sqlalchemy.exc import NoInspectionAvailable

from headway_runner.facts.bounds import STATEMENTS
from headway_runner.facts.recorder import Enough, real_path
from headway_runner.words.wording import describe


class TookTooLong(BaseException):
    """The revision's code has had its time; the argument is how many seconds."""


def no_time_left(seconds: float) -> str:
    """Of a revision that was not tried."""
    return f"the {seconds:g} s that are given to all revisions were over"


def why_not(error: BaseException | None, doing: str, file: str) -> str:
    """From what the revision's code raised, or tried although it hid that; ``file`` is the real path of its file."""
    if doing:
        return f"{_place(error, file)} {doing}"
    if isinstance(error, Enough):
        return f"it has more than {STATEMENTS} statements"
    if isinstance(error, TookTooLong):
        return f"it works longer than {error.args[0]:g} s before it has told its statements"
    if isinstance(error, SystemExit):
        return f"{_place(error, file)} ends the process"
    if isinstance(error, NoInspectionAvailable) or "'MockConnection' object has no" in str(error):
        return f"{_place(error, file)} looks into the database"
    if isinstance(error, (AttributeError, TypeError)) and "NoneType" in str(error):
        return f"{_place(error, file)} needs what a statement returns"
    assert error is not None
    return f"{_place(error, file)} fails without a database: {describe(error).rstrip('.')}"


def _place(error: BaseException | None, file: str) -> str:
    """``line 12``: the innermost of this file."""
    if error is None:
        return "it"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if real_path(frame.filename) == file
    ]
    return f"line {lines[-1]}" if lines else "it"
