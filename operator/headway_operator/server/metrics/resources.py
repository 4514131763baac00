"""The state of each resource, as its status says; a series goes when its resource does.

Names of resources and databases are labels here and nowhere else, so that only these series grow with their number.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headway_operator.api.migration import Migration
from headway_operator.api.status import DatabaseStatus, Status
from headway_operator.planner.explain import moment
from headway_operator.server.metrics.holds import kind_of

Resource = tuple[str, str]
"""Namespace and name."""

OF_RESOURCE = ("namespace", "name")
OF_DATABASE = (*OF_RESOURCE, "database")
OF_BACKFILL = (*OF_DATABASE, "table")


@dataclass(frozen=True)
class _Known:
    revision: str
    image: str
    status: Status
    last_success: str | None


class Resources(Collector):
    """Told of each resource that is seen, asked at each scrape."""

    def __init__(self) -> None:
        self._known: dict[Resource, _Known] = {}

    def saw(self, migration: Migration) -> None:
        """The resource as it is now."""
        status = migration.status
        succeeded = [entry.completion_time for entry in status.history if entry.result == "Succeeded"]
        self._known[migration.namespace, migration.name] = _Known(
            "" if migration.spec is None else migration.spec.revision,
            "" if migration.spec is None else migration.spec.image,
            status,
            next(iter(succeeded), None),
        )

    def gone(self, namespace: str, name: str) -> None:
        """It was deleted."""
        self._known.pop((namespace, name), None)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All series of all resources."""
        families = _families()
        for resource, known in self._known.items():
            for name, labels, value in (*_of_resource(known), *_of_databases(known.status)):
                families[name].add_metric((*resource, *labels), value)
        return families.values()


_Series = tuple[str, tuple[str, ...], float]


def _families() -> dict[str, GaugeMetricFamily]:
    rows = (
        ("info", "1; what is to run.", (*OF_RESOURCE, "revision", "image")),
        ("phase", "1 for the phase that it is in.", (*OF_RESOURCE, "phase")),
        ("status_condition", "1 for each condition, with its present status and reason.",
         (*OF_RESOURCE, "type", "status", "reason")),
        ("progress_ratio", "How much of the run is done, 0 to 1.", OF_RESOURCE),
        ("progress_timestamp_seconds", "When its progress was last seen to change.", OF_RESOURCE),
        ("run_start_timestamp_seconds", "When the present run began, or the last one.", OF_RESOURCE),
        ("last_success_timestamp_seconds", "When a run last succeeded.", OF_RESOURCE),
        ("database_phase", "1 for the phase that the database is in.", (*OF_DATABASE, "phase")),
        ("database_pending_revisions", "Revisions that are still to be applied.", OF_DATABASE),
        ("backfill_rows_done", "Rows of the backfill that goes on which are done.", OF_BACKFILL),
        ("backfill_rows_estimated", "Rows that it has in all, estimated.", OF_BACKFILL),
        ("backfill_rows_per_second", "Its rate; 0 while something holds it.", OF_BACKFILL),
        ("backfill_remaining_seconds", "How long it is likely to take still, unless it is held.", OF_BACKFILL),
        ("backfill_held", "1 while something holds it, by what.", (*OF_BACKFILL, "by")),
    )  # fmt: skip
    return {
        name: GaugeMetricFamily(f"headway_migration_{name}", text, labels=labels)
        for name, text, labels in rows
    }


def _of_resource(known: _Known) -> Iterator[_Series]:
    status = known.status
    yield "info", (known.revision, known.image), 1
    if status.phase:
        yield "phase", (status.phase,), 1
    for condition in status.conditions:
        yield "status_condition", (condition.type, condition.status, condition.reason), 1
    progress = status.progress
    if progress is not None and progress.percent is not None:
        yield "progress_ratio", (), progress.percent / 100
    times = (
        ("progress_timestamp_seconds", None if progress is None else progress.updated_time),
        ("run_start_timestamp_seconds", None if status.run is None else status.run.start_time),
        ("last_success_timestamp_seconds", known.last_success),
    )
    for name, text in times:
        time = moment(text)
        if time is not None:
            yield name, (), time.timestamp()


def _of_databases(status: Status) -> Iterator[_Series]:
    for database in status.databases:
        yield "database_phase", (database.name, str(database.phase)), 1
        if database.pending_count is not None:
            yield "database_pending_revisions", (database.name,), database.pending_count
        yield from _of_backfill(database)


def _of_backfill(database: DatabaseStatus) -> Iterator[_Series]:
    backfill = database.backfill
    if backfill is None:
        return
    labels = (database.name, backfill.table)
    yield "backfill_rows_done", labels, backfill.rows_done
    if backfill.rows_total is not None:
        yield "backfill_rows_estimated", labels, backfill.rows_total
    if backfill.throttled_by:
        # Rate and time left in the status are those from before it was held.
        yield "backfill_rows_per_second", labels, 0
        yield "backfill_held", (*labels, kind_of(backfill.throttled_by)), 1
        return
    yield "backfill_rows_per_second", labels, backfill.rows_per_second
    if backfill.eta_seconds is not None:
        yield "backfill_remaining_seconds", labels, backfill.eta_seconds
