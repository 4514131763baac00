"""The lines of Alembic's log about an operation: from the facts of a kind to words. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headway.throttle.level import size

Facts = Mapping[str, Any]
"""The fields of a class of :mod:`headway.facts`."""


def started(facts: Facts) -> str:
    """What is to be done, in which way, and why in this one."""
    done, total = facts["rows_done"], facts["rows_total"]
    counts = (f"{done:,} updated" if done else "", f"about {total:,} rows in all" if total else "")
    rows = ", ".join(filter(None, counts))
    begins = f"{'goes on' if done else 'begins'}{f' ({rows})' if rows else ''}"
    return (
        f"Backfill of {facts['table']}.{facts['columns'].replace(', ', ',')} {begins}. "
        f"Strategy {facts['strategy']}: {facts['reason'].rstrip('.')}."
    )


def progressed(facts: Facts) -> str:
    """How far it is, and its rate and time left, or why it holds."""
    done = f"Backfill of {facts['table']}: {int(facts['percent'])}% done, {facts['rows_done']:,} rows updated"
    if facts["throttled_by"]:
        return f"{done}; it holds: {facts['throttled_by'].rstrip('.')}."
    left = facts["eta_seconds"] or 0
    time = f", about {_time(left)} left" if round(left) else ""
    return f"{done}, {facts['rows_per_second']:,.0f} rows/s{time}."


def finished(facts: Facts) -> str:
    """The record."""
    seconds = facts["seconds"]
    rate = f", {facts['rows'] / seconds:,.0f} rows/s" if seconds else ""
    done = f"Backfill of {facts['table']} is complete: {facts['rows']:,} rows in {_time(seconds)}{rate}"
    return "; ".join(filter(None, (done, ", ".join(_costs(facts))))) + "."


def _costs(facts: Facts) -> Iterator[str]:
    if facts["wal_bytes"]:
        yield f"WAL {size(facts['wal_bytes'])}"
    for word, growth in (("table", facts["heap_growth_bytes"]), ("indexes", facts["index_growth_bytes"])):
        if growth:
            yield f"{word} {'+' if growth > 0 else '-'}{size(abs(growth))}"
    if facts["hot_ratio"] is not None:
        yield f"{facts['hot_ratio']:.0%} of the updates left the indexes alone"
    if round(facts["batch_p99_ms"]):
        yield f"batches {facts['batch_p50_ms']:,.0f}/{facts['batch_p99_ms']:,.0f} ms (p50/p99)"
    if round(facts["blocked_ms"]):
        yield f"others waited {facts['blocked_ms']:,.0f} ms for it"
    if round(facts["throttled_seconds"]):
        yield f"held for {_time(facts['throttled_seconds'])}"


def index_building(facts: Facts) -> str:
    """The phase of the build, and whom it waits for."""
    waits = f"; it waits for {facts['waits_for'].rstrip('.')}" if facts["waits_for"] else ""
    return f"Index {facts['index']} of {facts['table']}: {facts['phase']}, {int(facts['percent'])}%{waits}."


def _time(seconds: float) -> str:
    """``35s``, ``2m45s``, ``2h05m``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


LINES: dict[str, Callable[[Facts], str]] = {
    "BackfillStarted": started,
    "BackfillProgressed": progressed,
    "BackfillFinished": finished,
    "IndexBuilding": index_building,
}
"""By the name of the kind."""
