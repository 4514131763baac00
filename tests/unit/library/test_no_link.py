"""What plain Alembic's log shows of an operation."""

from __future__ import annotations

import logging

from headway.facts import BackfillProgressed, tell
from headway.link import NoLink


def progressed(rows, held=""):
    return BackfillProgressed("one", "users", rows, 100, float(rows), 10.0, None, throttled_by=held)


def test_a_hold_and_its_end_are_warnings_whatever_its_numbers_do(caplog):
    caplog.set_level(logging.WARNING, "headway")
    link = NoLink()
    for held in ("", "it is 7.1 s behind", "it is 7.6 s behind", "", ""):
        tell(link, progressed(1, held))
    assert [record.getMessage() for record in caplog.records] == [
        "The backfill of users holds: it is 7.1 s behind.",
        "The backfill of users goes on.",
    ]


def test_progress_is_a_line_every_five_seconds(caplog):
    caplog.set_level(logging.INFO, "headway")
    now = [0.0]
    link = NoLink(lambda: now[0])
    for second in range(11):
        now[0] = float(second)
        tell(link, progressed(second))
    assert [record.getMessage() for record in caplog.records] == [
        "Backfill of users: 0 % done, 0 rows updated, 10 rows/s.",
        "Backfill of users: 5 % done, 5 rows updated, 10 rows/s.",
        "Backfill of users: 10 % done, 10 rows updated, 10 rows/s.",
    ]
