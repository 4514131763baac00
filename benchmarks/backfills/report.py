"""The figures as tables: all ways side by side for each table, then the targets with what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backfills.measure import Measured, percentile
from backfills.tables import Case
from backfills.ways import GENTLE, GUIDE, HEADWAY, KEYSET, SESSIONS, SINGLE

BLOCKED_MS = 200.0
"""Twice the target time of a batch at the usual pace."""
MEMORY = 100.0
REACTION_SECONDS = 1.0


@dataclass
class Results:
    """All runs of one table."""

    case: Case
    idle: dict[str, list[Measured]] = field(default_factory=dict)
    loaded: dict[str, list[Measured]] = field(default_factory=dict)
    alone: list[float] = field(default_factory=list)
    """Milliseconds of the foreground with nothing else going on, in order."""
    reactions: list[float] = field(default_factory=list)
    """Seconds from a breach to our last commit, one for each breach."""

    def idle_of(self, way: str, figure: str) -> float | None:
        """The median over the repeats; None when it was not measured."""
        return _median(self.idle.get(way, ()), figure)

    def loaded_of(self, way: str, figure: str) -> float | None:
        """The same under the foreground."""
        return _median(self.loaded.get(way, ()), figure)


def _median(runs: Sequence[Measured], figure: str) -> float | None:
    found = [value for one in runs if (value := getattr(one, figure)) is not None]
    return statistics.median(found) if found else None


COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("rows/s", "idle", "rows_per_second", ",.0f"),
    ("1st tenth", "idle", "first_decile", ",.0f"),
    ("last tenth", "idle", "last_decile", ",.0f"),
    ("WAL B/row", "idle", "wal_per_row", ",.0f"),
    ("heap", "idle", "heap_growth", "+.0%"),
    ("index", "idle", "index_growth", "+.0%"),
    ("HOT", "idle", "hot", ".0%"),
    ("MB", "idle", "peak_megabytes", ".0f"),
    ("batch p50", "idle", "batch_p50_ms", ".0f"),
    ("batch p99", "idle", "batch_p99_ms", ".0f"),
    ("rows/s", "loaded", "rows_per_second", ",.0f"),
    ("p50 ms", "loaded", "p50_ms", ".1f"),
    ("p99 ms", "loaded", "p99_ms", ".1f"),
    ("worst ms", "loaded", "most_ms", ",.0f"),
    ("blocked ms", "loaded", "blocked_ms", ",.0f"),
    ("batch p50", "loaded", "batch_p50_ms", ".0f"),
    ("batch p99", "loaded", "batch_p99_ms", ".0f"),
    ("rows left", "loaded", "left", ".0f"),
)


def table(results: Results) -> Iterator[str]:
    """Every way in a line, first idle, then under load: medians, and the span of the rows per second."""
    yield f"\n{results.case}"
    yield from _lines(results.idle, results.idle_of, [one for one in COLUMNS if one[1] == "idle"])
    if not results.loaded:
        return
    p50, p99 = percentile(results.alone, 0.5), percentile(results.alone, 0.99)
    yield f"\nunder load; the foreground alone: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {results.alone[-1]:,.0f} ms"
    yield from _lines(results.loaded, results.loaded_of, [one for one in COLUMNS if one[1] == "loaded"])


def _lines(
    runs: Mapping[str, list[Measured]],
    figure_of: Callable[[str, str], float | None],
    columns: Sequence[tuple[str, str, str, str]],
) -> Iterator[str]:
    yield f"{'':16}" + "".join(f"{title:>12}" for title, *_ in columns) + "   rows/s of all runs"
    for name, found in runs.items():
        values = [(figure_of(name, figure), form) for *_, figure, form in columns]
        cells = "".join(f"{'-' if value is None else format(value, form):>12}" for value, form in values)
        yield f"{name:16}{cells}   {' '.join(f'{one.rows_per_second:,.0f}' for one in found)}"


Judge = Callable[[float], bool]
Row = tuple[str, str, str, bool | None]
"""What, the target, what was measured, whether it is reached (None: not measured)."""


def targets(results: Results) -> Iterator[Row]:
    """The table of targets; those of full pages and no index are asked only there."""
    idle, loaded = results.idle_of, results.loaded_of
    speed = _ratio(idle(HEADWAY, "rows_per_second"), idle(SINGLE, "rows_per_second"))
    yield _row("rows/s idle / single UPDATE", ">= 0.9", speed, lambda one: one >= 0.9)
    flat = _ratio(idle(HEADWAY, "last_decile"), idle(HEADWAY, "first_decile"))
    yield _row("last tenth / first tenth", "0.9 to 1.1", flat, lambda one: 0.9 <= one <= 1.1)
    ours, theirs = loaded(HEADWAY, "rows_per_second"), loaded(KEYSET, "rows_per_second")
    yield _row("rows/s under load / keyset 1,000", ">= 1.3", _ratio(ours, theirs), lambda one: one >= 1.3)
    guide = _ratio(ours, loaded(GUIDE, "rows_per_second"))
    yield _row("rows/s under load / guide's loop", ">= 5", guide, lambda one: one >= 5)
    calm = _ratio(loaded(HEADWAY, "p99_ms"), loaded(KEYSET, "p99_ms"))
    yield _row("foreground p99 / under keyset 1,000", "<= 1.0", calm, lambda one: one <= 1.0)
    alone = percentile(results.alone, 0.99) if results.alone else None
    yield _row(
        "pace Gentle: p99 / alone",
        "<= 1.25",
        _ratio(loaded(GENTLE, "p99_ms"), alone),
        lambda one: one <= 1.25,
    )
    blocked = max((one.blocked_ms or 0.0 for one in results.loaded.get(HEADWAY, ())), default=None)
    yield _row(
        "longest wait of a foreground statement, ms",
        f"<= {BLOCKED_MS:.0f}",
        blocked,
        lambda one: one <= BLOCKED_MS,
    )
    yield _row(
        "from a breach to the last commit, worst, s",
        f"<= {REACTION_SECONDS:.0f}",
        max(results.reactions, default=None),
        lambda one: one <= REACTION_SECONDS,
    )
    yield _row(
        "peak memory of the process, MB",
        f"<= {MEMORY:.0f}",
        idle(HEADWAY, "peak_megabytes"),
        lambda one: one <= MEMORY,
    )
    if results.case.fillfactor == 100 and not results.case.indexed:
        # Along a random key a keyset loop is no sweep in order; the single UPDATE always is.
        wal = _ratio(idle(HEADWAY, "wal_per_row"), idle(SINGLE, "wal_per_row"))
        yield _row("WAL / in-order sweep (single UPDATE)", "<= 0.65", wal, lambda one: one <= 0.65)
        yield _row("heap growth", "<= 0.30", idle(HEADWAY, "heap_growth"), lambda one: one <= 0.30)
        for way in (HEADWAY, *(one for one in (GENTLE, SESSIONS) if one in results.idle)):
            what = "index growth" if way == HEADWAY else f"index growth, {way}"
            yield _row(what, "<= 0.05", idle(way, "index_growth"), lambda one: one <= 0.05)


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / max(other, 1e-9)


def _row(what: str, target: str, measured: float | None, is_reached: Judge) -> Row:
    if measured is None:
        return what, target, "-", None
    return what, target, f"{measured:,.2f}", is_reached(measured)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """One for each target."""
    words = {True: "reached", False: "MISSED", None: "not measured"}
    yield f"{'':44}{'target':>12}{'measured':>12}"
    for what, target, measured, is_reached in rows:
        yield f"{what:44}{target:>12}{measured:>12}  {words[is_reached]}"
