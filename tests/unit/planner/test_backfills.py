"""A backfill in the status: what is shown, what is told, and how it is steered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract import events
from headway_contract.backfill import BackfillRecord, BackfillSettings
from headway_contract.control import Control
from headway_contract.wire import Envelope
from headway_operator.api.status import BackfillStatus, DatabasePhase, DatabaseStatus
from headway_operator.cluster.telling import told
from headway_operator.planner.actions import SteerJob
from headway_operator.planner.backfills import amount, finished, line, record_line, size, span
from headway_operator.planner.conclude import filled
from headway_operator.planner.news import news
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import BackfillProgress, JobProgress
from support.builders import a_job, a_migration, a_plan, a_pod, a_result, a_snapshot, ended

STARTED = events.BackfillStarted("main", "fill", "users", "status", "striped", "", 0, 10_000_000)
PROGRESSED = events.BackfillProgressed("main", "fill", "users", 4_200_000, 10_000_000, 42.1, 61_234.0, 95.2)
RECORD = BackfillRecord(
    "fill", "users", 10_000_000, 164.2, 3_900_000_000, 20_400_000, 0, 0.784, 1640, 98.5, 141.2
)


def told_of(*happened, job="job"):
    progress = JobProgress(job)
    for number, event in enumerate(happened, start=1):
        progress = told(progress, Envelope(number, "", event))
    return progress


class Running:
    """A run whose one database is migrated by a running Job, as its status follows what the Job tells."""

    def __init__(self, **fields):
        self.resource = a_migration(finalizer=True, **fields)
        planning = ended(a_job(self.resource), a_result(plan=a_plan(main=["m1", "m2"])))
        self.resource = self.with_status(plan(a_snapshot(self.resource, planning)).status)
        self.job = a_job(self.resource, "main")

    def with_status(self, status):
        return replace(self.resource, status=status)

    def look(self, *happened, annotations=None, job=None):
        """The decision after these events, and the news of it."""
        if annotations is not None:
            self.resource = replace(self.resource, annotations=annotations)
        job = job or self.job
        begun = events.RevisionStarted("main", "m1", "fill users.status", 1, 2)
        snapshot = a_snapshot(self.resource, job, progress=(told_of(begun, *happened, job=job.name),))
        decision = plan(snapshot)
        tidings = news(self.resource.status, decision.status, 4, "shop")
        self.resource = self.with_status(decision.status)
        return decision, [one for one in tidings if one.reason.startswith("Backfill")]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (987, "987"), (999, "999"), (1000, "1k"), (9949, "9.9k"), (61_234, "61k"), (999_499, "999k"),
     (999_500, "1M"), (4_200_000, "4.2M"), (10_000_000, "10M"), (1_340_000_000, "1.3G"), (25e12, "25000G")],
)  # fmt: skip
def test_large_numbers_are_told_in_two_or_three_digits(number, text):
    assert amount(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (35, "35s"), (95.2, "1m35s"), (612, "10m00s"), (7500, "2h05m"), (273_600, "3d04h")],
)
def test_a_time_left_is_told_as_exactly_as_it_is_known(seconds, text):
    assert span(seconds) == text


def test_a_size_has_its_unit():
    assert [size(one) for one in (512, 20_400_000, 3_900_000_000, -4_000)] == [
        "512 B",
        "20 MB",
        "3.9 GB",
        "-4 kB",
    ]


def test_the_line_has_rows_rate_and_what_is_left():
    progress = told_of(STARTED, PROGRESSED)
    assert progress.message == "backfilling users.status: 4.2M/10M rows (42%), 61k rows/s, about 1m35s left"


RESUMED = replace(PROGRESSED, rows_done=94_000, rows_total=304_000, percent=51.3)
"""Begun again after the first part of the table was filled: it goes through that, and updates nothing there."""


def test_rows_and_percentage_are_of_the_whole_table_and_the_updated_rows_are_told_apart():
    assert told_of(RESUMED).message == "fill: 155k/304k rows (51%), 94k updated, 61k rows/s, about 1m35s left"
    held = told_of(replace(RESUMED, throttled_by="a replica is behind."))
    assert held.message == "fill: 155k/304k rows (51%), 94k updated, holds: a replica is behind"


@pytest.mark.parametrize("rows", [4_000_000, 4_200_000, 4_500_000])
def test_what_an_estimate_may_be_wrong_by_is_no_difference(rows):
    assert told_of(replace(PROGRESSED, rows_done=rows)).message.startswith(
        f"fill: {amount(rows)}/10M rows (42%), 61k"
    )


def test_a_total_that_was_estimated_far_too_low_is_left_out():
    progress = told_of(replace(PROGRESSED, rows_done=9_000_000, percent=65.0))
    assert progress.message.startswith("fill: 9M rows (65%), 61k rows/s")


def test_the_line_of_a_hold_says_why_and_for_how_long():
    held = BackfillProgress(
        "fill", "users", "status", 5, 10, throttled_by="replica lag 7 s.", throttled_seconds=200
    )
    assert line(held) == "backfilling users.status: 5/10 rows, holds for 3 min: replica lag 7 s"


def test_a_loop_of_the_revisions_own_has_its_rows_and_no_percent():
    loop = events.BackfillProgressed("main", "UPDATE users", "users", 5000, None, rows_per_second=900.0)
    progress = told_of(loop)
    assert progress.message == "UPDATE users: 5k rows, 900 rows/s"
    assert progress.backfill.percent is None


def test_the_end_of_a_backfill_leaves_the_revision_and_a_record():
    progress = told_of(
        events.RevisionStarted("main", "m1", "t", 1, 2), STARTED, events.BackfillFinished("main", RECORD)
    )
    assert (progress.backfill, progress.records, progress.message) == (None, (RECORD,), "revision 1 of 2, m1")


@pytest.mark.parametrize(
    "end",
    [
        events.RevisionApplied("main", "m1", index=1, total=2),
        events.RevisionStarted("main", "m2", index=2, total=2),
        events.PassRetried("main", "lock timeout"),
    ],
)
def test_whatever_ends_a_revision_ends_its_backfill(end):
    assert told_of(STARTED, PROGRESSED, end).backfill is None


def test_pauses_and_indexes_are_told_in_words():
    progress = told_of(events.RevisionStarted("main", "m1", "t", 1, 2))
    steps = [
        (events.Steered(1, "by hand"), "pauses at the next safe point: by hand"),
        (events.Steered(2), "revision 1 of 2, m1"),
        (events.Held("main", "by hand", 3, "m2"), "paused before revision m2: by hand"),
        (events.Held("main", "", 4, "m2"), ""),
        (
            events.IndexBuilding("main", "ix", "users", "scanning table", 42.4, "session 7"),
            "building index ix on users: scanning table 42%, waits for session 7",
        ),
    ]
    for number, (event, message) in enumerate(steps, start=10):
        progress = told(progress, Envelope(number, "", event))
        assert progress.message == message


def test_a_running_backfill_is_the_phase_the_line_the_entry_and_a_part_of_the_percent():
    running = Running()
    status = running.look(STARTED, PROGRESSED)[0].status
    database = status.database("main")
    assert (database.phase, status.phase) == (DatabasePhase.BACKFILLING, "Backfilling")
    assert database.message == "backfilling users.status: 4.2M/10M rows (42%), 61k rows/s, about 1m35s left"
    entry = database.backfill
    assert (entry.revision, entry.table, entry.percent, entry.rows_per_second) == ("m1", "users", 42, 61_234)
    assert (status.progress.summary, status.progress.percent) == ("0/1 · 21% · backfill 42%", 21)
    condition = status.condition("BackfillComplete")
    assert (condition.status, condition.reason) == ("False", "Backfilling")
    assert status.condition("Reconciling").reason == "Backfilling"


def test_the_percent_never_runs_backwards():
    running = Running()
    running.look(STARTED, PROGRESSED)
    status = running.look(STARTED, replace(PROGRESSED, percent=3.0))[0].status
    assert status.progress.percent == 21
    again = told_of(replace(STARTED, rows_done=6_000_000), PROGRESSED)
    assert again.backfill.percent == 60, "what earlier runs have done was told when it began"


@pytest.mark.parametrize("percent", [99.2, 99.9])
def test_100_percent_is_said_of_nothing_that_is_not_complete(percent):
    begun = told_of(replace(STARTED, rows_done=STARTED.rows_total))
    assert "(99%)" in begun.message
    almost = told_of(STARTED, replace(PROGRESSED, percent=percent))
    assert "(99%)" in almost.message


def test_of_several_backfills_at_once_the_column_has_the_one_that_is_least_far():
    databases = [
        DatabaseStatus(name, backfill=BackfillStatus(percent=share)) for name, share in (("a", 70), ("b", 6))
    ]
    assert filled(tuple(databases)) == "backfill 6%"
    assert filled((DatabaseStatus("c", backfill=BackfillStatus()),)) == ""


def test_behind_the_backfill_the_phase_is_migrating_again_and_the_record_stays():
    running = Running()
    running.look(STARTED, PROGRESSED)
    status = running.look(STARTED, events.BackfillFinished("main", RECORD))[0].status
    database = status.database("main")
    assert (database.phase, database.backfill) == (DatabasePhase.MIGRATING, None)
    assert [(one.operation, one.rows, one.hot_percent) for one in database.backfills] == [
        ("fill", 10_000_000, 78)
    ]
    assert status.condition("BackfillComplete").status == "Unknown"


def test_the_result_has_the_record_also_when_no_event_came_through():
    running = Running()
    running.look()
    over = ended(running.job, a_result(backfills=(RECORD,), backfills_count=1, applied_count=2))
    decision, tidings = running.look(job=over)
    assert [one.rows for one in decision.status.database("main").backfills] == [10_000_000]
    condition = decision.status.condition("BackfillComplete")
    assert (condition.status, condition.reason, condition.message) == (
        "True", "BackfillsDone", "1 backfill, 10,000,000 rows",
    )  # fmt: skip
    assert [one.reason for one in tidings] == ["BackfillFinished"]


def test_a_run_without_backfills_has_none_left():
    running = Running()
    over = ended(running.job, a_result(applied_count=2))
    condition = running.look(job=over)[0].status.condition("BackfillComplete")
    assert (condition.status, condition.reason) == ("True", "NoBackfill")


def test_start_quarters_and_end_are_told_once_each():
    running, heard = Running(), []
    for percent in (0.0, 3.0, 25.0, 26.0, 49.9, 55.0, 99.9):
        heard += running.look(STARTED, replace(PROGRESSED, percent=percent))[1]
    heard += running.look(STARTED, events.BackfillFinished("main", RECORD))[1]
    heard += running.look(STARTED, events.BackfillFinished("main", RECORD))[1]
    assert [one.reason for one in heard] == [
        "BackfillStarted", "BackfillProgressed", "BackfillProgressed", "BackfillProgressed", "BackfillFinished",
    ]  # fmt: skip
    assert len({(one.reason, one.key) for one in heard}) == 5
    assert heard[-1].message == (
        "main: users: 10,000,000 rows in 2m45s, 61k rows/s; WAL 3.9 GB, table +20 MB, "
        "78% of the updates left the indexes alone, batches 98/141 ms (p50/p99)"
    )


def test_a_hold_is_told_when_it_lasts_longer_than_a_minute_and_each_hold_once():
    running, heard = Running(), []
    for seconds in (1.0, 59.0, 61.0, 200.0, 0.0, 30.0):
        why = "replica lag 7 s" if seconds else ""
        held = replace(PROGRESSED, throttled_by=why, throttled_seconds=seconds)
        heard += running.look(STARTED, held)[1]
    later = replace(PROGRESSED, rows_done=5_000_000, throttled_by="replica lag 7 s", throttled_seconds=90.0)
    heard += running.look(STARTED, later)[1]
    holds = [one for one in heard if one.reason == "BackfillHeld"]
    assert len({one.key for one in holds}) == len(holds) == 2
    assert all(one.warning for one in holds)
    assert (
        holds[0].message
        == "main: backfilling users.status: 4.2M/10M rows (42%), holds for 1 min: replica lag 7 s"
    )


def test_a_hold_changes_the_status_no_more_than_once_in_a_minute():
    running = Running()
    seen = set()
    for seconds in range(0, 300, 2):
        held = replace(PROGRESSED, throttled_by="paused", throttled_seconds=float(seconds))
        seen.add(running.look(STARTED, held)[0].status.database("main"))
    assert len(seen) == 5


def test_a_pause_that_is_wished_is_no_warning():
    running = Running()
    running.look(STARTED, PROGRESSED)
    held = replace(PROGRESSED, throttled_by="paused", throttled_seconds=90.0)
    tidings = running.look(STARTED, held, annotations={"headway.dev/paused": "1"})[1]
    holds = [one for one in tidings if one.reason == "BackfillHeld"]
    assert [one.warning for one in holds] == [False]


def test_the_pace_goes_to_a_running_job_and_is_answered_in_the_status():
    running = Running(backfill=BackfillSettings("Gentle", 2))
    told_at_start = Control(backfill=BackfillSettings("Gentle", 2))
    job = replace(running.job, pod=a_pod(running.job.name, control=told_at_start))
    assert running.look(job=job)[0].actions == ()
    decision, _ = running.look(annotations={"headway.dev/pace": "fast"}, job=job)
    wish = Control(1, backfill=BackfillSettings("Fast", 2))
    assert decision.actions == (SteerJob(job.name, job.pod.name, wish),)
    assert decision.status.last_handled_pace == "fast"
    steered = replace(job, pod=replace(job.pod, control=wish))
    assert running.look(job=steered)[0].actions == ()
    decision, _ = running.look(annotations={}, job=steered)
    assert decision.actions == (SteerJob(job.name, job.pod.name, replace(told_at_start, sequence=2)),)
    assert decision.status.last_handled_pace == ""


def test_a_job_that_was_told_to_stop_is_not_told_anything_else():
    running = Running()
    job = replace(running.job, pod=a_pod(running.job.name, stop=True))
    assert running.look(annotations={"headway.dev/pace": "Fast"}, job=job)[0].actions == ()


def test_settings_that_are_edited_reach_a_running_job_and_start_no_other_run():
    running = Running()
    edited = replace(running.resource.spec, backfill=BackfillSettings(max_replica_lag_seconds=9))
    running.resource = replace(running.resource, spec=edited, generation=2)
    decision, _ = running.look()
    (steer,) = decision.actions
    assert steer.control.backfill == BackfillSettings(max_replica_lag_seconds=9)


def test_a_paused_run_says_where_each_database_holds():
    running = Running()
    running.look()
    held = events.Held("main", "by hand", 1, "m2")
    status = running.look(held, annotations={"headway.dev/paused": "1"})[0].status
    assert status.condition("Reconciling").message == (
        "the annotation headway.dev/paused is set: nothing is started until it is removed; "
        "main: paused before revision m2: by hand"
    )
    assert status.last_handled_paused == "1"
    assert (status.phase, status.database("main").phase) == ("Waiting", DatabasePhase.MIGRATING)


def test_a_record_without_facts_is_told_without_them():
    running = Running()
    told_record = events.BackfillFinished("main", BackfillRecord("fill", "users", 5))
    (finished,) = running.look(STARTED, told_record)[1]
    assert finished.message == "main: users: 5 rows in 0s"
    assert record_line(running.resource.status.database("main").backfills[0]) == "users: 5 rows in 0s"


def test_a_record_tells_how_long_others_waited_and_how_long_it_was_held():
    record = replace(RECORD, blocked_ms=1840.4, throttled_seconds=65.0)
    assert record_line(finished(record)).endswith(
        ", batches 98/141 ms (p50/p99), others waited 1,840 ms for it, held for 1m05s"
    )


def test_a_table_that_is_smaller_afterwards_is_told_so():
    record = replace(RECORD, heap_growth_bytes=-20_400_000, index_growth_bytes=1_000_000)
    assert "WAL 3.9 GB, table -20 MB, indexes +1 MB, 78%" in record_line(finished(record))
