"""Backfills side by side: the library's, the guide's loop, a single UPDATE, a keyset loop, and any other command.

    python benchmarks/backfill.py [--rows 0.5 2 10] [--key bigint uuid] [--fillfactor 100 50] [--index no yes]
        [--repeats 2] [--rate 300] [--way NAME …] [--command "NAME=COMMAND" …] [--idle-only] [--json FILE]

Every run has a fresh copy of the table; the ways take turns, medians are compared. A command of the caller's finds
HEADWAY_BENCH_DSN and HEADWAY_BENCH_TABLE in its environment and fills the column `status` of rows that have none.
The server is an embedded PostgreSQL that writes to the disk as in earnest, or that of HEADWAY_TEST_DSN as it is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from backfills import measure, reaction, report, tables, ways  # noqa: E402
from backfills.report import Results  # noqa: E402
from backfills.tables import Case  # noqa: E402
from backfills.ways import GENTLE, GUIDE, HEADWAY, Way  # noqa: E402

from headway_cli.embedded import EmbeddedPostgres  # noqa: E402
from support.postgres import DSN_VARIABLE, PostgresServer  # noqa: E402

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "track_commit_timestamp": "on",
    "shared_buffers": "2GB",
    # No checkpoint within a run: when one falls is chance, and it writes every page into the log once more.
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
}
SHOWN = (*SETTINGS, "autovacuum", "wal_compression", "deadlock_timeout", "max_connections")
ALONE_SECONDS = 10.0


def main() -> int:
    """Measure and print; exit code 1 when a target was missed."""
    options = _options()
    missed = False
    with _server() as server, tempfile.TemporaryDirectory() as folder:
        all_of_them = {**ways.known(Path(folder)), **ways.of_callers(options.command)}
        chosen = ways.select(all_of_them, options.way)
        _say_where(server)
        for number, case in enumerate(_cases(options)):
            is_first = number == 0
            results = measure_case(server, case, _worth_it(chosen, options, is_first), options, is_first)
            if is_first and HEADWAY in {way.name for way in chosen}:
                results.reactions = measure_reaction(server, case, Path(folder))
            rows = list(report.targets(results))
            print("\n".join([*report.table(results), "", *report.lines(rows)]), flush=True)
            missed |= any(is_reached is False for *_, is_reached in rows)
            if options.json:
                with Path(options.json).open("a") as file:
                    file.write(json.dumps(asdict(results), default=str) + "\n")
    return int(missed)


def measure_case(
    server: PostgresServer, case: Case, chosen: list[Way], options: argparse.Namespace, is_first: bool
) -> Results:
    """All ways in turn, as often as wanted; each round begins with another one."""
    template = tables.make(server, case)
    results = Results(case)
    is_loaded = not options.idle_only and (is_first or options.full)
    for round_ in range(options.repeats):
        turn = chosen[round_ % len(chosen) :] + chosen[: round_ % len(chosen)]
        if is_loaded:
            results.alone += measure.alone(server, template, options.rate, ALONE_SECONDS)
        for way, rate in itertools.product(turn, (None, options.rate) if is_loaded else (None,)):
            if way.name == GENTLE and rate is None:
                continue
            found = measure.run(server, template, case, way, rate)
            (results.idle if rate is None else results.loaded).setdefault(way.name, []).append(found)
            load = f"under {rate:g} tx/s: p99 {found.p99_ms:.1f} ms" if rate else "idle"
            print(f"  … {way.name:16} {found.rows_per_second:9,.0f} rows/s {load}", flush=True)
    results.alone.sort()
    server.drop(template)
    return results


def measure_reaction(server: PostgresServer, case: Case, folder: Path) -> list[float]:
    """Seconds from a breach to our last commit."""
    template = tables.make(server, case)
    found = reaction.measured(server, template, ways.watched(folder))
    print(f"  … from a breach to the last commit: {' '.join(f'{one:.2f}' for one in found)} s", flush=True)
    server.drop(template)
    return found


def _cases(options: argparse.Namespace) -> list[Case]:
    given = (options.rows, options.key, options.fillfactor, options.index)
    if not options.full and not any(given):
        others = [Case(500_000, "uuid"), Case(500_000, fillfactor=50), Case(500_000, indexed=True)]
        return [Case(500_000), *others, Case(2_000_000)]
    rows, keys, fills, indexes = (
        options.rows or ([0.5, 2, 10] if options.full else [0.5]),
        options.key or (["bigint", "uuid"] if options.full else ["bigint"]),
        options.fillfactor or ([100, 50] if options.full else [100]),
        options.index or (["no", "yes"] if options.full else ["no"]),
    )
    return [
        Case(int(million * 1_000_000), key, fill, index == "yes")
        for million, key, fill, index in itertools.product(rows, keys, fills, indexes)
    ]


def _worth_it(chosen: list[Way], options: argparse.Namespace, is_first: bool) -> list[Way]:
    """The guide's loop takes minutes: unless it is asked for, only on the first table."""
    return [way for way in chosen if is_first or options.full or options.way or way.name != GUIDE]


@contextmanager
def _server() -> Iterator[PostgresServer]:
    if given := os.environ.get(DSN_VARIABLE):
        server = PostgresServer(given)
        try:
            yield server
        finally:
            server.drop_all()
        return
    with EmbeddedPostgres.start(settings=SETTINGS) as embedded:
        yield PostgresServer(embedded.url())


def _say_where(server: PostgresServer) -> None:
    version = server.template.scalar("SHOW server_version")
    settings = ", ".join(f"{name} {server.template.scalar(f'SHOW {name}')}" for name in SHOWN)
    print(
        f"PostgreSQL {version}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n{settings}", flush=True
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=float, nargs="+", default=[], help="millions of rows")
    parser.add_argument("--key", nargs="+", default=[], choices=list(tables.KEYS))
    parser.add_argument("--fillfactor", type=int, nargs="+", default=[])
    parser.add_argument(
        "--index", nargs="+", default=[], choices=["no", "yes"], help="on the column that is filled"
    )
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rate", type=float, default=300.0, help="transactions per second of the foreground")
    parser.add_argument("--way", nargs="+", default=[], help="only these")
    parser.add_argument("--command", action="append", default=[], help="another way, NAME=COMMAND")
    parser.add_argument("--idle-only", action="store_true")
    parser.add_argument("--full", action="store_true", help="every table, every way, under load too: hours")
    parser.add_argument("--json", default="", help="a file that gets every figure of every run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
