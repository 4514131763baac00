"""Who leads, from a Lease that all contenders read and write. Pure: times are this process's own seconds.

A renewal of another's is seen as a change of the Lease, never by comparing its time with our clock: clocks differ.
"""

from dataclasses import dataclass, replace
from typing import Self

SHORTEST_PAUSE_SECONDS = 0.001
"""A timer may come a hair too early: who then looks finds the Lease held."""


@dataclass(frozen=True)
class Terms:
    """How leading is held; requests are shorter than ``step_down_seconds``, and that is shorter than the lease."""

    lease_seconds: float = 12.0
    """From the last change of the Lease until another may take it; written into it, so a whole number."""
    step_down_seconds: float = 8.0
    """From the start of the last renewal that succeeded until a leader gives up."""
    retry_seconds: float = 2.0
    """Between two renewals, or two looks of who waits."""

    @classmethod
    def within(cls, seconds: int) -> Self:
        """A dead leader is followed within so many seconds of its last renewal.

        Four fifths are the lease. The rest is for the look that sees the last renewal, at most a sixth of the lease
        after it, and for answers of the API server. Leaders step down after two thirds, as is usual in Kubernetes.
        """
        lease = max(seconds * 4 // 5, 1)
        return cls(lease, lease * 2 / 3, lease / 6)


@dataclass(frozen=True)
class Lease:
    """What is written; times are for people, except that a change of ``renewed`` shows a living holder."""

    holder: str = ""
    renewed: str = ""
    acquired: str = ""
    seconds: int = 0
    transitions: int = 0
    version: str = ""
    """The resourceVersion that was read; empty: there is no Lease yet."""


@dataclass(frozen=True)
class Seen:
    """A Lease, and since when this process has seen it as it is."""

    lease: Lease
    since: float


def seen(before: Seen | None, lease: Lease, now: float) -> Seen:
    """The newest look; the same holder and renewal as before has been so since then."""
    known = before is not None and (before.lease.holder, before.lease.renewed) == (
        lease.holder,
        lease.renewed,
    )
    return Seen(lease, before.since if before is not None and known else now)


def may_take(sight: Seen | None, me: str, now: float, terms: Terms) -> bool:
    """Nobody holds it, or its holder has shown no life for a whole lease: the longer one of theirs and ours."""
    return _seconds_until_free(sight, me, now, terms) <= 0


def seconds_until_next_turn(sight: Seen | None, me: str, now: float, terms: Terms) -> float:
    """Who waits looks when the Lease runs out, and not up to a whole pause after that."""
    until_free = _seconds_until_free(sight, me, now, terms)
    if until_free <= 0:
        return terms.retry_seconds
    return min(max(until_free, SHORTEST_PAUSE_SECONDS), terms.retry_seconds)


def _seconds_until_free(sight: Seen | None, me: str, now: float, terms: Terms) -> float:
    if sight is None or not sight.lease.holder or sight.lease.holder == me:
        return 0.0
    return sight.since + max(float(sight.lease.seconds), terms.lease_seconds) - now


def taken(lease: Lease | None, me: str, terms: Terms) -> Lease:
    """The Lease to write in order to have it, or to have it longer."""
    old = lease or Lease()
    mine = replace(old, holder=me, seconds=round(terms.lease_seconds))
    if old.holder == me:
        return mine
    return replace(mine, acquired="", transitions=old.transitions + (1 if old.version else 0))


def released(lease: Lease) -> Lease:
    """The Lease to write so that another may take it at once."""
    return replace(lease, holder="", seconds=1)
