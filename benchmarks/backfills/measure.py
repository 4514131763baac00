"""One run of one way on a fresh copy of the table, idle or under the foreground, and what it did to the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backfills import tables
from backfills.tables import TABLE, Case
from backfills.watch import LOOK_SECONDS, Watch
from backfills.ways import Way
from phases import tree

from headway.backfills.stored import state_of
from headway.backfills.tally import Tally
from support.postgres import Database, PostgresServer


@dataclass(frozen=True)
class Sizes:
    """Bytes, as the server says."""

    heap: int
    indexes: int
    wal: int

    @classmethod
    def of(cls, database: Database) -> Sizes:
        """Now."""
        query = (
            f"SELECT pg_relation_size('{TABLE}'), pg_indexes_size('{TABLE}'), "
            "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
        )
        return cls(*database.rows(query)[0])


@dataclass(frozen=True)
class Measured:
    """The figures of one run; None: not measured in it."""

    seconds: float
    rows_per_second: float
    first_decile: float | None
    last_decile: float | None
    wal_per_row: float
    heap_growth: float
    """A fraction: 1.0 is twice the size."""
    index_growth: float
    hot: float
    peak_megabytes: float
    left: int
    """Rows without a value at the end."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    most_ms: float | None = None
    blocked_ms: float | None = None
    batch_p50_ms: float | None = None
    """Of our own batches, by the record; the other ways write none."""
    batch_p99_ms: float | None = None


def run(server: PostgresServer, template: Database, case: Case, way: Way, rate: float | None) -> Measured:
    """On a copy of its own; `rate`: transactions per second of the foreground, None when idle."""
    database = tables.copy(server, template)
    try:
        before = Sizes.of(database)
        with foreground(database, rate) as times, Watch(database) as watch:
            peak = _execute(way, database)
            end = time.monotonic()
        return _figures(database, case, before, watch, end, peak, times if rate else None)
    finally:
        server.drop(database)


def alone(server: PostgresServer, template: Database, rate: float, seconds: float) -> list[float]:
    """Milliseconds of the foreground's transactions with nothing else going on."""
    database = tables.copy(server, template)
    try:
        with foreground(database, rate) as times:
            start = time.monotonic()
            time.sleep(seconds)
            end = time.monotonic()
        return sorted(taken for due, taken in times if start <= due <= end)
    finally:
        server.drop(database)


def percentile(ordered: list[float], part: float) -> float:
    """The nearest rank."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@contextmanager
def foreground(database: Database, rate: float | None) -> Iterator[list[tuple[float, float]]]:
    """A process of its own; the list is filled when it has ended."""
    times: list[tuple[float, float]] = []
    if rate is None:
        yield times
        return
    script = Path(__file__).with_name("foreground.py")
    environment = {**os.environ, "HEADWAY_BENCH_DSN": database.address, "HEADWAY_BENCH_TABLE": TABLE}
    with subprocess.Popen(
        [sys.executable, str(script), str(rate)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n", "the foreground did not start"
        yield times
        process.stdin.close()
        times += [(due, taken) for due, taken in json.loads(process.stdout.read())]


def _execute(way: Way, database: Database) -> float:
    """Run it to its end; the peak of its resident memory in MB (of the largest of its processes)."""
    peak = 0.0
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            way.command,
            shell=isinstance(way.command, str),
            cwd=way.folder,
            env=way.environment(database),
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        while process.poll() is None:
            peak = max(peak, *map(_peak_megabytes, tree(process.pid)))
            threading.Event().wait(LOOK_SECONDS)
        if process.returncode:
            words.seek(0)
            last = words.read()[-3000:].decode(errors="replace")
            raise RuntimeError(f"{way.name} failed with exit code {process.returncode}:\n{last}")
    return peak


def _peak_megabytes(process: int) -> float:
    """The kernel's own high-water mark. That of `wait4` would count what its parent had before the exec, too."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    mark = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(mark[1]) / 1024 if mark else 0.0


def _figures(
    database: Database,
    case: Case,
    before: Sizes,
    watch: Watch,
    end: float,
    peak: float,
    times: list[tuple[float, float]] | None,
) -> Measured:
    after = Sizes.of(database)
    begun = watch.begun or end
    deciles = watch.deciles(case.rows) if times is None else None
    statistics = f"SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{TABLE}'"
    ((updates, hot),) = database.rows(statistics)
    tally = recorded(database)
    ordered = sorted(taken for due, taken in times or () if begun <= due <= end)
    return Measured(
        seconds=end - begun,
        rows_per_second=case.rows / (end - begun),
        first_decile=deciles[0] if deciles else None,
        last_decile=deciles[1] if deciles else None,
        wal_per_row=(after.wal - before.wal) / case.rows,
        heap_growth=after.heap / before.heap - 1,
        index_growth=after.indexes / before.indexes - 1,
        hot=hot / max(1, updates),
        peak_megabytes=peak,
        left=int(str(database.scalar(f"SELECT count(*) FROM {TABLE} WHERE status IS NULL"))),
        p50_ms=percentile(ordered, 0.5) if ordered else None,
        p99_ms=percentile(ordered, 0.99) if ordered else None,
        most_ms=ordered[-1] if ordered else None,
        blocked_ms=watch.blocked_ms if times is not None else None,
        batch_p50_ms=tally.quantile_ms(0.5) if tally else None,
        batch_p99_ms=tally.quantile_ms(0.99) if tally else None,
    )


def recorded(database: Database) -> Tally | None:
    """What our own backfill has written down of itself; None where there was none."""
    if database.scalar("SELECT to_regclass('headway_backfill')") is None:
        return None
    state = database.scalar("SELECT state FROM headway_backfill WHERE lane = 0")
    return state_of(str(state)).tally
