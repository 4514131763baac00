"""What people are told of a backfill: its line in the status, its entry there, its record. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from headway_contract.backfill import BackfillRecord
from headway_operator.api.status import BackfillStatus, DatabaseStatus, FinishedBackfill
from headway_operator.planner.snapshot import BackfillProgress, JobProgress

RECORDS_KEPT = 20
"""How many finished backfills the status of a database lists, the latest."""
SLACK_PERCENT = 3.0
"""So far the percentage and the share of the rows may differ: the total is an estimate."""
_ETA_STEPS = ((60, 1), (600, 5), (3600, 30), (86400, 60))
"""Up to so many seconds an estimate is told in these steps: it is no better than that."""


Backfill = BackfillProgress | BackfillStatus


def name_of(backfill: Backfill) -> str:
    """``users.status``, or the table alone where columns are not known."""
    columns = backfill.columns.replace(", ", ",")
    return f"{backfill.table}.{columns}" if columns else backfill.table


def line(backfill: BackfillProgress) -> str:
    """``backfilling users.status: 4.2M/10M rows (42%), 61k rows/s, about 1m35s left``."""
    rows, *rest = parts_of(backfill)
    share = "" if backfill.percent is None else f" ({whole_percent(backfill.percent)}%)"
    return f"{_what(backfill)}: {', '.join((rows + share, *rest))}"


def is_line_of(message: str, backfill: Backfill) -> bool:
    """Whether the message of a database is such a line, in whatever attempt."""
    start = f"{_what(backfill)}: "
    return message.startswith(start) or (message.startswith("attempt ") and f": {start}" in message)


def _what(backfill: Backfill) -> str:
    return f"backfilling {name_of(backfill)}" if backfill.columns else backfill.operation


def whole_percent(percent: float) -> int:
    """As it is shown: 100 is said of nothing that is not complete."""
    return min(int(percent), 100)


def parts_of(backfill: BackfillProgress) -> tuple[str, ...]:
    """Rows, how many of them it updated where these are fewer, and then rate and time left, or why it holds."""
    rows = (rows_of(backfill), updated_of(backfill))
    if backfill.throttled_by:
        return tuple(filter(None, (*rows, hold_of(backfill))))
    rate = f"{amount(backfill.rows_per_second)} rows/s" if backfill.rows_per_second else ""
    eta = f"about {span(backfill.eta_seconds)} left" if backfill.eta_seconds is not None else ""
    return tuple(filter(None, (*rows, rate, eta)))


def hold_of(backfill: BackfillProgress) -> str:
    """Since when it holds, and why."""
    minutes = int(backfill.throttled_seconds // 60)
    since = f" for {minutes} min" if minutes else ""
    return f"holds{since}: {backfill.throttled_by.rstrip('.')}"


def rows_of(backfill: Backfill) -> str:
    """``4.2M/10M rows``: of these the percentage tells, too. Without the total where that is not known, or was
    estimated far too low.
    """
    if backfill.percent is None or not backfill.rows_total:
        return _rows(backfill.rows_done, backfill.rows_total)
    ahead = _ahead_of_rows(backfill)
    if abs(ahead) <= SLACK_PERCENT:
        return _rows(backfill.rows_done, backfill.rows_total)
    if ahead < 0:
        return _rows(backfill.rows_done, None)
    return _rows(backfill.rows_total * whole_percent(backfill.percent) / 100, backfill.rows_total)


def updated_of(backfill: Backfill) -> str:
    """``94k updated``, where it has gone through more rows than it had to update; else ''."""
    is_ahead = _ahead_of_rows(backfill) > SLACK_PERCENT
    return f"{amount(backfill.rows_done)} updated" if is_ahead else ""


def _ahead_of_rows(backfill: Backfill) -> float:
    """By how many percent of the table it is further than its updated rows alone would tell."""
    if backfill.percent is None or not backfill.rows_total:
        return 0.0
    return backfill.percent - 100 * backfill.rows_done / backfill.rows_total


def _rows(done: float, total: int | None) -> str:
    return f"{amount(done)}{'' if total is None else f'/{amount(total)}'} rows"


def amount(number: float) -> str:
    """``987``, ``61k``, ``4.2M``, ``1.3G``: two or three digits."""
    power = next((power for power in range(3) if number < 999.5 * 1000**power), 3)
    value = number / 1000**power
    text = f"{value:.1f}" if power and value < 9.95 else f"{value:.0f}"
    return text.removesuffix(".0") + ("", "k", "M", "G")[power]


def span(seconds: float) -> str:
    """``35s``, ``1m35s``, ``2h05m``, ``3d04h``."""
    step = next((step for limit, step in _ETA_STEPS if seconds <= limit), 3600)
    whole = int(round(seconds / step) * step)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // 86400}d{whole // 3600 % 24:02}h"


def record_line(record: FinishedBackfill) -> str:
    """``users: 10,000,000 rows in 2m44s, 61k rows/s; WAL 3.9 GB, table +20 MB, batches 96/180 ms (p50/p99), …``."""
    rate = f", {amount(record.rows / record.seconds)} rows/s" if record.seconds else ""
    done = f"{record.table}: {record.rows:,} rows in {span(record.seconds)}{rate}"
    return "; ".join(filter(None, (done, ", ".join((*_costs(record), *_times(record))))))


def _costs(record: FinishedBackfill) -> Iterator[str]:
    """What was written and kept."""
    if record.wal_bytes:
        yield f"WAL {size(record.wal_bytes)}"
    for word, growth in (("table", record.heap_growth_bytes), ("indexes", record.index_growth_bytes)):
        if growth:
            yield f"{word} {'+' if growth > 0 else ''}{size(growth)}"
    if record.hot_percent is not None:
        yield f"{record.hot_percent}% of the updates left the indexes alone"


def _times(record: FinishedBackfill) -> Iterator[str]:
    """Of its batches, of those who waited for it, and of its holds."""
    if record.batch_p99_milliseconds:
        p50, p99 = record.batch_p50_milliseconds, record.batch_p99_milliseconds
        yield f"batches {p50:,}/{p99:,} ms (p50/p99)"
    if record.blocked_milliseconds:
        yield f"others waited {record.blocked_milliseconds:,} ms for it"
    if record.throttled_seconds:
        yield f"held for {span(record.throttled_seconds)}"


def size(number: int) -> str:
    """``512 B``, ``20 MB``, ``3.9 GB``, by 1,000."""
    text = amount(abs(number))
    unit = text.lstrip("0123456789.")
    return f"{'-' if number < 0 else ''}{text.removesuffix(unit)} {unit}B"


def with_backfill(database: DatabaseStatus, progress: JobProgress) -> DatabaseStatus:
    """The status with the backfill that goes on, and with the records of those that are complete."""
    told = progress.backfill
    shown = None if told is None else _status_of(told, progress.revision)
    return with_records(replace(database, backfill=shown), progress.records)


def with_records(database: DatabaseStatus, records: tuple[BackfillRecord, ...]) -> DatabaseStatus:
    """Each operation once, with what was told of it last."""
    known = {record.operation: record for record in database.backfills}
    known |= {record.operation: finished(record) for record in records}
    return replace(database, backfills=tuple(known.values())[-RECORDS_KEPT:])


def _status_of(backfill: BackfillProgress, revision: str) -> BackfillStatus:
    return BackfillStatus(
        revision=revision,
        operation=backfill.operation,
        table=backfill.table,
        columns=backfill.columns,
        rows_done=backfill.rows_done,
        rows_total=backfill.rows_total,
        percent=None if backfill.percent is None else whole_percent(backfill.percent),
        rows_per_second=round(backfill.rows_per_second),
        eta_seconds=None if backfill.eta_seconds is None else round(backfill.eta_seconds),
        throttled_by=backfill.throttled_by[:1024],
        throttled_minutes=int(backfill.throttled_seconds // 60),
        workers=backfill.workers,
    )


def finished(record: BackfillRecord) -> FinishedBackfill:
    """As the status has it: in whole numbers."""
    return FinishedBackfill(
        operation=record.operation,
        table=record.table,
        rows=record.rows,
        seconds=round(record.seconds),
        wal_bytes=record.wal_bytes,
        heap_growth_bytes=record.heap_growth_bytes,
        index_growth_bytes=record.index_growth_bytes,
        hot_percent=None if record.hot_ratio is None else round(100 * record.hot_ratio),
        batches=record.batches,
        batch_p50_milliseconds=round(record.batch_p50_ms),
        batch_p99_milliseconds=round(record.batch_p99_ms),
        blocked_milliseconds=round(record.blocked_ms),
        throttled_seconds=round(record.throttled_seconds),
    )
