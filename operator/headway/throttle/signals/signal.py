"""What a signal is: something that can be read in a session of its own, and be judged without one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from headway.throttle.level import Level
from headway.throttle.limits import Limits
from headway.wishes import Wishes

R = TypeVar("R")
Ask = Callable[..., Sequence[Any]]
"""Rows of a statement (text with ``:name``, or SQLAlchemy's) and its values, in a read-only transaction."""


@dataclass(frozen=True)
class Unreadable:
    """The database does not tell; why, and what to do, without a full stop."""

    why: str
    is_usual: bool = False
    """Not worth a word to who did not ask for it."""


def nobody_named_it(_: Wishes) -> bool:
    """For what is looked for wherever it is found: not being able to read it is told once and holds nobody."""
    return False


def somebody_named_it(_: Wishes) -> bool:
    """For what somebody wrote down: not being able to read it holds."""
    return True


@dataclass(frozen=True)
class Signal(Generic[R]):
    """One reason to slow down."""

    name: str
    read: Callable[[Ask], "R | Unreadable"]
    """Raises what the driver raises."""
    judge: Callable[[R, Limits], Level]
    """Pure."""
    is_named: Callable[[Wishes], bool] = nobody_named_it
