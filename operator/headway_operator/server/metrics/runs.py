"""Runs that ended, where their time went, and what backfills did: without names of resources.

Everything is worked out from two looks at a status, one after the other. What happened while no operator looked is in
the durations, which come from the status itself, and not in the split of active and waiting time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headway_operator.api.conditions import State
from headway_operator.api.migration import Migration
from headway_operator.api.status import BackfillStatus, DatabaseStatus, Status
from headway_operator.planner.abort import ABORTED
from headway_operator.planner.explain import moment
from headway_operator.server.metrics.holds import kind_of

HOURS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)
"""Buckets in seconds: a run takes seconds, a backfill hours, an approval days."""

WAITING = ("WaitingForApproval", "WaitingForHook", "WaitingForRollout", "Paused", "Suspended", "Retrying")
"""Reasons under which a run waits for somebody or something; under all others it works."""

RESULTS = (State.SUCCEEDED, State.READY_FAILED, State.FAILED, ABORTED)
"""How a run ends of which a resource tells to the end; one that another took over from is not counted."""


@dataclass
class _Seen:
    status: Status
    time: float
    active: float = 0.0
    waiting: dict[str, float] = field(default_factory=dict)


class Runs(Collector):
    """Told of each resource that is seen; ``clock`` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._duration = Histogram(
            "headway_run_duration_seconds",
            "From a run's start to its end.",
            ["result"],
            buckets=HOURS,
            registry=None,
        )
        self._active = Histogram(
            "headway_run_active_seconds", "Time of a run in which it worked.", buckets=HOURS, registry=None
        )
        self._waiting = Histogram(
            "headway_run_waiting_seconds",
            "Time of a run in which it waited.",
            ["reason"],
            buckets=HOURS,
            registry=None,
        )
        # A series that begins at 1 has not increased, so each is there from the start.
        for result in RESULTS:
            self._duration.labels(str(result))
        for reason in WAITING:
            self._waiting.labels(reason)
        self._rows = Counter("headway_backfill_rows", "Rows that backfills have done.", registry=None)
        self._held = Counter(
            "headway_backfill_held_seconds",
            "Seconds for which something held a backfill.",
            ["by"],
            registry=None,
        )

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        for one in (self._duration, self._active, self._waiting, self._rows, self._held):
            yield from one.collect()

    def saw(self, migration: Migration) -> None:
        """The resource as it is now: what changed since the last time is counted."""
        key, status, now = (migration.namespace, migration.name), migration.status, self._clock()
        seen = self._seen.get(key)
        if seen is None or _run(seen.status) != _run(status):
            self._seen[key] = _Seen(status, now)
            return
        self._pass_time(seen, now)
        for database in status.databases:
            self._count_rows(seen.status.database(database.name), database)
        if not _is_over(seen.status) and _is_over(status):
            self._ended(seen, status)
        seen.status, seen.time = status, now

    def gone(self, namespace: str, name: str) -> None:
        """It was deleted."""
        self._seen.pop((namespace, name), None)

    def _pass_time(self, seen: _Seen, now: float) -> None:
        passed = now - seen.time
        reconciling = seen.status.condition("Reconciling")
        if reconciling is not None and reconciling.status == "True":
            if reconciling.reason in WAITING:
                seen.waiting[reconciling.reason] = seen.waiting.get(reconciling.reason, 0.0) + passed
            else:
                seen.active += passed
        for database in seen.status.databases:
            if database.backfill is not None and database.backfill.throttled_by:
                self._held.labels(kind_of(database.backfill.throttled_by)).inc(passed)

    def _count_rows(self, before: DatabaseStatus | None, now: DatabaseStatus) -> None:
        old = None if before is None else before.backfill
        if now.backfill is not None:
            self._rows.inc(max(now.backfill.rows_done - _rows_of(old, now.backfill.operation), 0))
        known = () if before is None else before.backfills
        for record in now.backfills:
            if record not in known:
                self._rows.inc(max(record.rows - _rows_of(old, record.operation), 0))

    def _ended(self, seen: _Seen, status: Status) -> None:
        run = status.run
        started, ended = (
            (moment(run.start_time), moment(run.completion_time)) if run is not None else (None, None)
        )
        if run is None or started is None or ended is None:
            return
        self._duration.labels(run.result).observe((ended - started).total_seconds())
        self._active.observe(seen.active)
        for reason, seconds in seen.waiting.items():
            self._waiting.labels(reason).observe(seconds)


def _run(status: Status) -> str:
    return "" if status.run is None else status.run.id


def _is_over(status: Status) -> bool:
    return status.run is not None and bool(status.run.completion_time)


def _rows_of(backfill: BackfillStatus | None, operation: str) -> int:
    return backfill.rows_done if backfill is not None and backfill.operation == operation else 0
