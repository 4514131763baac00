"""What the benchmark of backfills works out of what it saw."""

from __future__ import annotations

from dataclasses import replace

import pytest
from backfills.measure import Measured, percentile
from backfills.report import Results, table, targets
from backfills.tables import Case
from backfills.watch import Watch
from backfills.ways import GENTLE, GUIDE, HEADWAY, KEYSET, SESSIONS, SINGLE, of_callers

GOOD = Measured(
    seconds=10.0,
    rows_per_second=100_000.0,
    first_decile=100_000.0,
    last_decile=95_000.0,
    wal_per_row=400.0,
    heap_growth=0.25,
    index_growth=0.02,
    hot=0.8,
    peak_megabytes=70.0,
    left=0,
    p50_ms=2.0,
    p99_ms=10.0,
    most_ms=40.0,
    blocked_ms=60.0,
)


HALF_A_MILLION = Case(500_000)


def results(ours=GOOD, case=HALF_A_MILLION):
    others = {
        SINGLE: replace(GOOD, rows_per_second=105_000.0, wal_per_row=680.0),
        KEYSET: replace(GOOD, rows_per_second=70_000.0, wal_per_row=400.0),
        GUIDE: replace(GOOD, rows_per_second=10_000.0),
    }
    ways = {HEADWAY: [ours], GENTLE: [ours], **{name: [one] for name, one in others.items()}}
    return Results(case, ways, ways, [8.0] * 100, [0.2, 0.4])


def judged(found):
    return {what: is_reached for what, _, _, is_reached in targets(found)}


def test_all_targets_are_reached_by_a_run_that_reaches_them():
    assert set(judged(results()).values()) == {True}


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"rows_per_second": 80_000.0}, {"rows/s idle / single UPDATE", "rows/s under load / keyset 1,000"}),
        ({"last_decile": 80_000.0}, {"last tenth / first tenth"}),
        ({"last_decile": 120_000.0}, {"last tenth / first tenth"}),
        ({"p99_ms": 10.1}, {"foreground p99 / under keyset 1,000", "pace Gentle: p99 / alone"}),
        ({"blocked_ms": 201.0}, {"longest wait of a foreground statement, ms"}),
        ({"peak_megabytes": 101.0}, {"peak memory of the process, MB"}),
        ({"wal_per_row": 450.0}, {"WAL / in-order sweep (single UPDATE)"}),
        ({"heap_growth": 0.31}, {"heap growth"}),
        ({"index_growth": 0.06}, {"index growth", "index growth, gentle"}),
    ],
)
def test_each_target_is_missed_by_what_is_worse_than_it(worse, missed):
    found = judged(results(replace(GOOD, **worse)))
    assert {what for what, is_reached in found.items() if not is_reached} == missed


def test_each_of_our_ways_has_to_keep_the_indexes_small():
    found = results()
    found.idle[SESSIONS] = [replace(GOOD, index_growth=0.15)]
    assert {what for what, is_reached in judged(found).items() if not is_reached} == {
        "index growth, 4 sessions"
    }


def test_how_long_our_batches_took_is_a_column_and_the_others_have_none():
    found = results(replace(GOOD, batch_p50_ms=48.0, batch_p99_ms=192.0))
    tables = list(_figures(table(found)))
    assert len(tables) == 2
    for heading, ours, other in tables:
        assert (ours[heading.index("batch p50")], ours[heading.index("batch p99")]) == ("48", "192")
        assert other[heading.index("batch p50")] == "-"


def _figures(lines):
    """Of the table idle and of that under load: the headings, our cells and those of the guide's loop."""
    rows = [
        [line[:16].strip(), *(line[16 + at : 28 + at].strip() for at in range(0, 132, 12))] for line in lines
    ]
    for at, row in enumerate(rows):
        if "batch p50" in row:
            named = {one[0]: one for one in rows[at + 1 : at + 7]}
            yield row, named[HEADWAY], named[GUIDE]


def test_what_was_not_measured_is_neither_reached_nor_missed():
    found = Results(Case(500_000), idle={HEADWAY: [GOOD]})
    assert judged(found)["rows/s idle / single UPDATE"] is None


def test_the_longest_wait_of_all_runs_counts_and_not_their_median():
    found = results()
    found.loaded[HEADWAY] = [GOOD, GOOD, replace(GOOD, blocked_ms=300.0)]
    assert judged(found)["longest wait of a foreground statement, ms"] is False


def test_the_longest_time_from_a_breach_to_a_commit_counts():
    found = results()
    found.reactions = [0.2, 1.1]
    missed = {what for what, is_reached in judged(found).items() if not is_reached}
    assert missed == {"from a breach to the last commit, worst, s"}


def test_growth_is_asked_of_full_pages_without_an_index_on_the_target_only():
    assert "heap growth" not in judged(results(case=Case(500_000, fillfactor=50)))
    assert "heap growth" not in judged(results(case=Case(500_000, indexed=True)))


def test_tenths_are_found_between_the_moments_at_which_rows_were_counted():
    steady = [(float(second), second * 50) for second in range(20)]
    first, last = Watch(None, rows=steady).deciles(1000)
    assert (round(first), round(last)) == (50, 50)
    slower = [*steady[:18], *((17.0 + 10 * n, 850 + 10 * n) for n in range(1, 15))]
    first, last = Watch(None, rows=slower).deciles(1000)
    assert (round(first), round(last)) == (50, 1)


def test_of_a_short_run_no_tenths_are_told():
    assert Watch(None, rows=[(1.0, 500)]).deciles(1000) is None


def test_a_percentile_is_a_value_that_was_measured():
    ordered = [float(number) for number in range(1, 101)]
    assert (percentile(ordered, 0.5), percentile(ordered, 0.99), percentile([7.0], 0.99)) == (
        51.0,
        100.0,
        7.0,
    )


def test_a_command_of_the_callers_has_the_name_that_it_is_given_or_its_own():
    found = of_callers(["mine=sh fill.sh", "/usr/bin/tool --where 'a=b'"])
    assert {name: way.command for name, way in found.items()} == {
        "mine": "sh fill.sh",
        "tool": "/usr/bin/tool --where 'a=b'",
    }
