"""What a backfill tells of batches that are tried again."""

from __future__ import annotations

from headway.backfills.failures import Cause, Failure
from headway.backfills.reports import RETRIES_TOLD_SECONDS, Reports
from headway.backfills.state import State
from headway.facts import BackfillStarted
from support.revisions import Told

BUSY, LOST = Failure(Cause.BUSY, "40P01"), Failure(Cause.LOST, "")


def test_each_cause_of_a_retry_is_told_at_once_and_again_only_after_a_while():
    now, told = [0.0], Told()
    started = BackfillStarted("op", "users", "", "keyset", "it is asked for")
    reports = Reports(told, lambda: now[0], started, State().tally, 0.0)
    for moment, failure in (
        (0.0, BUSY),
        (1.0, LOST),
        (2.0, BUSY),
        (RETRIES_TOLD_SECONDS, LOST),
        (RETRIES_TOLD_SECONDS + 1, BUSY),
    ):
        now[0] = moment
        reports.retried(failure)
    causes = [one.removeprefix("Backfill of users: ").partition(";")[0] for one in told.notices()]
    conflict = "a conflict with another session (40P01)"
    assert causes == [conflict, "the connection was lost", conflict]
