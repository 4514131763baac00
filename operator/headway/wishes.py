"""What is wished of the operations that run: parsed leniently, because the other end may be newer or older."""

from collections.abc import Mapping
from dataclasses import dataclass

from headway.pace import BALANCED, PACES, Pace


@dataclass(frozen=True)
class Wishes:
    """The whole desired state."""

    stop: bool = False
    """Stop at the next safe point: between batches."""
    stop_reason: str = ""
    pause: str = ""
    """Why to hold, as a short sentence without a full stop; empty: work."""
    pace: str = BALANCED.name
    is_named_pace: bool = False
    """Somebody wished it: it counts also where the caller has a pace of his own."""
    max_workers: int | None = None
    """How many sessions may work on one backfill; None: nobody says."""
    max_replica_lag_seconds: float = 5.0
    windows: tuple[Mapping[str, object], ...] = ()
    """When it may work, each as the resource writes it: ``days``, ``from``, ``to``, ``timeZone``; none: always."""
    throttle: str = ""
    """What a Throttle hook says, as a short sentence; empty: nothing against working."""
    is_named_lag: bool = False
    """Somebody wrote the limit of the replicas' lag down: not being able to read it pauses."""

    def counting(self, own: "Pace | None") -> Pace:
        """Of the caller's own pace and a wished one the gentler one; where there is neither, the default."""
        wished = PACES[self.pace]
        if own is None:
            return wished
        return min(own, wished, key=lambda pace: pace.target_ms) if self.is_named_pace else own


def parse(wishes: Mapping[str, object]) -> Wishes:
    """What is not understood is left at its default."""
    known = Wishes()
    pace = str(wishes.get("pace") or known.pace)
    windows = wishes.get("windows")
    return Wishes(
        stop=bool(wishes.get("stop")),
        stop_reason=str(wishes.get("stop_reason") or ""),
        pause=str(wishes.get("pause") or ""),
        pace=pace if pace in PACES else known.pace,
        is_named_pace=bool(wishes.get("pace")) and pace in PACES,
        max_workers=int(_number(wishes.get("max_workers"), 0)) or None,
        max_replica_lag_seconds=_number(wishes.get("max_replica_lag_seconds"), known.max_replica_lag_seconds),
        windows=tuple(one for one in windows if isinstance(one, Mapping))
        if isinstance(windows, (list, tuple))
        else (),
        throttle=str(wishes.get("throttle") or ""),
        is_named_lag="max_replica_lag_seconds" in wishes,
    )


def _number(value: object, default: float) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return float(value) if is_number and isinstance(value, (int, float)) else default
