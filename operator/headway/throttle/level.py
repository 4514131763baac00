"""How near to its limit one signal is, with the words for it; and for how long it holds once it held."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

GO_ON_BELOW = 0.7
"""A signal that holds does so until its utilization is below this: else it would start and stop all the time."""
KIB = 1024


@dataclass(frozen=True)
class Level:
    """What one signal comes to at present."""

    signal: str
    """Its name, such as ``replica lag``."""
    utilization: float = 0.0
    """Value / limit; from 1.0 on it holds."""
    sentence: str = ""
    """What is said while it holds, short and without a full stop."""
    is_load: bool = True
    """Of the database's load; else a wish, or what cannot be read, which is no reason to work less later."""


def measured(
    signal: str, before: str, value: float, after: str, limit: float, unit: Callable[[float], str]
) -> Level:
    """A value against a limit, with the words before and after the value."""
    utilization = value / limit if limit > 0 else float(value > 0)
    bound = f"limit {unit(limit)}" if utilization >= 1 else f"goes on below {unit(limit * GO_ON_BELOW)}"
    words = " ".join(filter(None, (before, unit(value), after)))
    return Level(signal, utilization, f"{words} ({bound})")


def still_holding(levels: Collection[Level], held: Collection[str] = ()) -> tuple[Level, ...]:
    """The levels that hold now, when those named ``held`` did until now.

    Each signal for itself: one that stays at 0.8 without ever reaching its limit keeps nobody waiting.
    """
    return tuple(
        level
        for level in levels
        if level.utilization >= 1 or (level.utilization >= GO_ON_BELOW and level.signal in held)
    )


def seconds(value: float) -> str:
    """Such as ``7.2 s``."""
    return f"{value:.1f}".removesuffix(".0") + " s"


def milliseconds(value: float) -> str:
    """Such as ``140 ms``."""
    return f"{value:.0f} ms"


def size(value: float) -> str:
    """Of bytes, such as ``256 MiB``; tenths from GiB on."""
    if value < KIB:
        return f"{value:.0f} B"
    for unit in ("KiB", "MiB"):
        value /= KIB
        if value < KIB:
            return f"{value:.0f} {unit}"
    return f"{value / KIB:.1f}".removesuffix(".0") + " GiB"


def count(value: float) -> str:
    """Such as ``12,345``."""
    return f"{value:,.0f}"
