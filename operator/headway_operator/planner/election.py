"""Who leads, from a Lease that all contenders read and write. Pure: times are this process's own seconds.

A renewal of another's is seen as a change of the Lease, never by comparing its time with our clock: clocks differ.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Terms:
    """How leading is held; requests are shorter than ``step_down_seconds``, and that is shorter than the lease."""

    lease_seconds: float = 15.0
    """From the last change of the Lease until another may take it."""
    step_down_seconds: float = 10.0
    """From the start of the last renewal that succeeded until a leader gives up."""
    retry_seconds: float = 2.0
    """Between two renewals, or two looks of who waits."""

    @classmethod
    def of(cls, lease_seconds: float) -> Self:
        """The proportions that controllers of Kubernetes use: 15, 10 and 2 seconds."""
        return cls(lease_seconds, lease_seconds * 10 / 15, lease_seconds * 2 / 15)


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
    if sight is None or not sight.lease.holder or sight.lease.holder == me:
        return True
    return now - sight.since >= max(float(sight.lease.seconds), terms.lease_seconds)


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
