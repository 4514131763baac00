"""What plain Alembic's log shows of an operation, and when."""

from __future__ import annotations

import logging
from typing import get_args

import pytest

from headway.facts import BackfillFinished, BackfillProgressed, BackfillStarted, Fact, IndexBuilding, tell
from headway.lines import LINES
from headway.link import NoLink

STARTED = BackfillStarted(
    "one", "users", "status, n", "striped", "updated rows no longer meet the condition", 0, 10_000_000
)


@pytest.fixture
def told(caplog):
    """A link with a clock that is set, and the lines of its log."""
    caplog.set_level(logging.INFO, "alembic")
    now = [0.0]
    link = NoLink(lambda: now[0])

    def at(second, fact):
        now[0] = float(second)
        tell(link, fact)

    at.lines = lambda: [(record.levelname, record.getMessage()) for record in caplog.records]
    return at


def progressed(rows, held="", left=None):
    return BackfillProgressed("one", "users", rows, 100, float(rows), 10.0, left, throttled_by=held)


def test_the_beginning_is_told_with_the_way_and_its_reason(told):
    told(0, STARTED)
    assert told.lines() == [
        (
            "INFO",
            "Backfill of users.status,n begins (about 10,000,000 rows in all). "
            "Strategy striped: updated rows no longer meet the condition.",
        )
    ]


def test_one_that_goes_on_says_so(told):
    told(0, BackfillStarted("one", "users", "n", "keyset", "it is asked for", 4_200_000, 10_000_000))
    told(0, BackfillStarted("one", "users", "n", "keyset", "it is asked for"))
    assert [line for _, line in told.lines()] == [
        "Backfill of users.n goes on (4,200,000 updated, about 10,000,000 rows in all). "
        "Strategy keyset: it is asked for.",
        "Backfill of users.n begins. Strategy keyset: it is asked for.",
    ]


def test_the_record_is_told_at_the_end(told):
    told(0, STARTED)
    told(
        1,
        BackfillFinished(
            "one", "users", 10**7, 164.2, 39 * 10**8, -2 * 10**7, 10**6, 0.784, 1640, 98.5, 141.2, 40.3, 65
        ),
    )
    told(1, BackfillFinished("two", "users", 5, 0.0, None, None, None, None, 0, 0.1, 0.2, 0.3, 0.4))
    assert [line for _, line in told.lines()[1:]] == [
        "Backfill of users is complete: 10,000,000 rows in 2m44s, 60,901 rows/s; WAL 3.6 GiB, table -19 MiB, "
        "indexes +977 KiB, 78% of the updates left the indexes alone, batches 98/141 ms (p50/p99), "
        "others waited 40 ms for it, held for 1m05s.",
        "Backfill of users is complete: 5 rows in 0s.",
    ]


def test_progress_is_a_line_every_five_seconds_and_none_of_a_short_one(told):
    told(0, STARTED)
    for second in range(11):
        told(second, progressed(second, left=None if second < 8 else 95.2))
    assert [line for _, line in told.lines()[1:]] == [
        "Backfill of users: 5% done, 5 rows updated, 10 rows/s.",
        "Backfill of users: 10% done, 10 rows updated, 10 rows/s, about 1m35s left.",
    ]


def test_time_left_is_told_in_the_units_that_it_has(told):
    for minute, left in enumerate((7500.0, 35.4, 0.3)):
        told(60 * minute + 60, progressed(minute, left=left))
    assert [line.split("10 rows/s")[1] for _, line in told.lines()] == [
        ", about 2h05m left.", ", about 35s left.", ".",
    ]  # fmt: skip


def test_a_percentage_that_stays_is_told_once_a_minute_and_not_rounded_up(told):
    for second in range(200):
        told(second, progressed(99.6 + second / 1000))
    assert [line.split(",")[0] for _, line in told.lines()] == ["Backfill of users: 99% done"] * 4


def test_a_hold_and_its_end_are_warnings_whatever_its_numbers_do(told):
    for held in ("", "it is 7.1 s behind", "it is 7.6 s behind", "", ""):
        told(0, progressed(1, held))
    assert told.lines() == [
        ("WARNING", "The backfill of users holds: it is 7.1 s behind."),
        ("WARNING", "The backfill of users goes on."),
    ]


def test_a_hold_that_lasts_is_told_again(told):
    for second in range(10, 141):
        told(second, progressed(1, f"it is {second} s behind"))
    assert [line for _, line in told.lines()] == [
        "The backfill of users holds: it is 10 s behind.",
        "Backfill of users: 1% done, 1 rows updated; it holds: it is 15 s behind.",
        "Backfill of users: 1% done, 1 rows updated; it holds: it is 75 s behind.",
        "Backfill of users: 1% done, 1 rows updated; it holds: it is 135 s behind.",
    ]


def test_of_an_index_each_phase_and_whoever_it_waits_for_is_told_at_once(told):
    scan, wait = "building index: scanning table", "waiting for old snapshots"
    for second, percent in enumerate((0.0, 20.0, 40.0, 99.9)):
        told(second, IndexBuilding("ix", "users", scan, percent))
    told(4, IndexBuilding("ix", "users", wait, 0.0))
    told(5, IndexBuilding("ix", "users", wait, 0.0, "process 7 of psql"))
    assert [line for _, line in told.lines()] == [
        f"Index ix of users: {scan}, 0%.",
        f"Index ix of users: {wait}, 0%.",
        f"Index ix of users: {wait}, 0%; it waits for process 7 of psql.",
    ]


def test_every_kind_of_fact_has_its_line():
    assert {kind.__name__ for kind in get_args(Fact)} == {*LINES, "Noticed"}
