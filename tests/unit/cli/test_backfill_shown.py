"""A backfill as people and programs see it in `headway run`."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from headway_cli.board import Spans, board_of
from headway_cli.ending import Ending
from headway_cli.live import LiveTable
from headway_cli.outputs import PACE, JsonOutput, PlainOutput
from headway_cli.report import item_of_event, items_of_status
from headway_cli.summary import summary
from headway_contract import events
from headway_contract.backfill import BackfillRecord
from headway_operator.api.status import Condition, DatabasePhase, DatabaseStatus, Run, Status
from headway_operator.planner.attempts import STOPPED
from headway_operator.planner.snapshot import BackfillProgress, JobProgress

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FILL = BackfillProgress("fill", "users", "status", 4_200_000, 10_000_000, 42.1, 61_234.0, 95.2)
PROGRESSED = events.BackfillProgressed("main", "fill", "users", 4_200_000, 10_000_000, 42.1, 61_234.0, 95.2)
MAIN = DatabaseStatus(
    "main", DatabasePhase.MIGRATING, "a1", "a4", 1, 4, job_name="job", attempt=1,
    start_time="2026-11-23T08:00:00Z",
)  # fmt: skip


def lines(backfill, width=110):
    status = Status(1, "Backfilling", run=Run("1234abcd"), databases=(MAIN,))
    live = {"job": JobProgress("job", 5, ("a1",), "a2", 1, 4, "a line", backfill)}
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    board = board_of("shop", ("main",), status, live, Spans(NOW, {}), NOW, 4)
    console.print(LiveTable().draw(board, width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()], board


def test_the_table_has_a_line_with_a_bar_for_what_is_filled():
    shown, board = lines(FILL)
    assert shown[-1].startswith("main: users.status  ━━━━━━━━━")
    assert "main  backfilling  " in shown[2], "before the status says so, too"
    assert shown[-1].endswith("42%  4.2M/10M rows  61k rows/s  about 1m35s left")
    assert board.rows[0].fraction == pytest.approx((1 + 0.421) / 4)


def test_rows_beside_the_bar_are_those_that_its_percentage_is_of():
    resumed = replace(FILL, rows_done=94_000, rows_total=304_000, percent=51.3)
    shown, _ = lines(resumed)
    assert shown[-1].endswith("51%  155k/304k rows  94k updated  61k rows/s  about 1m35s left")
    shown, _ = lines(replace(resumed, throttled_by="a replica is behind"))
    assert shown[-2].endswith("51%  155k/304k rows  94k updated")
    assert shown[-1] == "  holds: a replica is behind"


def test_the_bar_does_not_say_100_before_the_end():
    shown, _ = lines(replace(FILL, percent=99.9))
    assert " 99%  9.9M/10M rows" in shown[-1]


def test_a_hold_says_why_whole_and_in_place_of_the_rate():
    why = "replica 10.0.0.7 is 7.2 s behind, and 5 s are allowed (spec.backfill.maxReplicaLagSeconds); it applies WAL"
    shown, _ = lines(replace(FILL, throttled_by=why, throttled_seconds=130.0))
    assert shown[-3].endswith("42%  4.2M/10M rows")
    assert " ".join(line.strip() for line in shown[-2:]) == f"holds for 2 min: {why}"
    assert all(len(line) <= 110 for line in shown)


def test_a_loop_of_the_revisions_own_has_no_bar_because_nobody_knows_its_end():
    shown, board = lines(BackfillProgress("UPDATE users", "users", rows_done=5000, rows_per_second=900.0))
    assert shown[-1] == "main: UPDATE users  5k rows  900 rows/s"
    assert board.rows[0].fraction == 1 / 4


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_fits_every_terminal(width):
    shown, _ = lines(replace(FILL, throttled_by="a long reason " * 20), width)
    assert all(len(line) <= width for line in shown)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def told(kind, clock, *seconds):
    """What an output prints of one progress after each of these times."""
    console = Console(file=io.StringIO(), width=200)
    output = kind(console, str, clock)
    for pause in seconds:
        clock.now += timedelta(seconds=pause)
        progress = JobProgress("job", message="backfilling users.status: 4.2M/10M rows (42%)", backfill=FILL)
        item = item_of_event("main", PROGRESSED, progress)
        output.tell(item)
    return console.file.getvalue().splitlines()


def test_plain_lines_come_every_few_seconds():
    shown = told(PlainOutput, Clock(), 0, *[0.5] * 20)
    assert len(shown) == 1 + int(10 / PACE.total_seconds())
    assert shown[0] == "2026-11-23T08:00:00Z main: backfilling users.status: 4.2M/10M rows (42%)"


def test_that_it_begins_to_hold_is_a_line_at_once_and_the_next_one_is_later():
    console, clock = Console(file=io.StringIO(), width=200), Clock()
    output = PlainOutput(console, str, clock)
    held = replace(PROGRESSED, throttled_by="paused by hand")
    for event in (PROGRESSED, held, held):
        output.tell(item_of_event("main", event, JobProgress("job", message=event.throttled_by or "works")))
    clock.now += timedelta(seconds=60)
    output.tell(item_of_event("main", held, JobProgress("job", message="holds for 1 min")))
    shown = [line.split("main: ")[1] for line in console.file.getvalue().splitlines()]
    assert shown == ["works", "paused by hand", "holds for 1 min"]


def test_programs_get_each_step_with_its_numbers():
    shown = told(JsonOutput, Clock(), 0, 0.5, 0.5)
    assert len(shown) == 3
    step = json.loads(shown[0])
    assert (step["kind"], step["rowsDone"], step["percent"], step["throttledBy"]) == (
        "BackfillProgressed", 4_200_000, 42.1, "",
    )  # fmt: skip


def test_begin_and_end_are_told_with_the_strategy_and_the_record():
    started = events.BackfillStarted("main", "fill", "users", "status", "striped", "It fits.", 0, 10)
    progress = JobProgress("job", message="backfilling users.status: 0/10 rows")
    assert item_of_event("main", started, progress).message == (
        "backfilling users.status: 0/10 rows (striped: It fits)"
    )
    finished = events.BackfillFinished("main", BackfillRecord("fill", "users", 10, 2.0))
    item = item_of_event("main", finished, JobProgress("job"))
    assert item.message == "backfilled users: 10 rows in 2s, 5 rows/s"
    assert item.details["rows"] == 10


def test_a_heartbeat_says_nothing_more_while_a_backfill_works_or_holds():
    progress = JobProgress("job", message="a line", backfill=FILL)
    assert item_of_event("main", events.Heartbeat(), progress) is None
    held = replace(progress, backfill=replace(FILL, throttled_by="lag"))
    assert item_of_event("main", events.Heartbeat(), held) is None


def test_that_the_phase_goes_to_backfilling_and_back_is_no_news_of_the_status():
    filling, migrating = (
        Status(run=Run("1"), databases=(replace(MAIN, phase=phase),))
        for phase in (DatabasePhase.BACKFILLING, DatabasePhase.MIGRATING)
    )
    assert items_of_status(filling, migrating, 4) == items_of_status(migrating, filling, 4) == ()


def test_a_run_that_is_stopped_in_a_backfill_says_where():
    place = "It stopped in the backfill of users.status at 42%, 4200000 rows updated."
    stopped = replace(MAIN, phase=DatabasePhase.PENDING, message=f"{STOPPED}. {place}")
    status = Status(1, databases=(stopped,), conditions=(Condition("Ready", "Unknown", "Suspended"),))
    board = board_of("shop", ("main",), status, {}, Spans(NOW, {}), NOW, 4)
    ending = Ending(status, board, interrupted=True)
    shown = [line.plain for line in summary(ending, ("headway", "run"), str, has_table=True)]
    assert shown[1:] == [
        f"main: {place}",
        "What was applied stays applied. To go on from there:",
        "  headway run",
    ]
