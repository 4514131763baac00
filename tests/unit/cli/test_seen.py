"""What people see of the resources in a cluster."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from headway_cli.seen.happened import Happened, newest
from headway_cli.seen.lines import age, bar, lines_of
from headway_cli.seen.logs import newest_job
from headway_cli.seen.show import _drawn
from headway_cli.seen.table import table_of
from headway_cli.seen.verdict import Verdict, verdict
from headway_operator.api import labels
from headway_operator.api.conditions import OWN_CONDITIONS, State, conditions_for
from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import (
    BackfillStatus,
    DatabasePhase,
    DatabaseStatus,
    DriftStatus,
    HistoryEntry,
    Progress,
    Run,
    Status,
)
from support.builders import a_migration

START = "2026-11-03T10:00:00Z"
NOW = datetime(2026, 11, 3, 10, 5, tzinfo=UTC)
FILLING = DatabaseStatus(
    "main",
    DatabasePhase.BACKFILLING,
    current_revision="8f2a",
    target_revision="c01d",
    revisions_done=3,
    revisions_total=6,
    start_time=START,
    backfill=BackfillStatus(
        operation="fill",
        table="users",
        columns="status",
        rows_done=4_200_000,
        rows_total=10_000_000,
        percent=42,
        rows_per_second=61_000,
        eta_seconds=95,
        workers=2,
    ),
)


def migration(state: State, reason: str, generation: int = 1, **fields: object) -> Migration:
    own = dict.fromkeys(OWN_CONDITIONS, ("Unknown", reason, "because"))
    status = Status(
        observed_generation=1,
        phase=str(state),
        conditions=conditions_for(state, reason, f"it is {reason}", own, 1),
        run=Run("3f9c2e", start_time=START),
    )
    return replace(a_migration(generation=generation), status=replace(status, **fields))  # type: ignore[arg-type]


def text(seen: Migration) -> str:
    return "\n".join(line.text for line in lines_of(seen, NOW))


def test_a_run_is_shown_with_its_databases_and_the_backfill_that_goes_on() -> None:
    seen = migration(
        State.PROGRESSING,
        "Backfilling",
        progress=Progress(summary="0/2 · 42%"),
        databases=(FILLING, DatabaseStatus("audit", DatabasePhase.FAILED, message="revision a1 failed")),
        hooks=(
            HookStatus("chat", HookType.NOTIFY, Point.BEFORE_DATABASE, Result.DELIVERED, database="main"),
        ),
        history=(
            HistoryEntry("1a2b3c", "2026.11.2", result="Succeeded", completion_time="2026-11-01T10:05:00Z"),
        ),
    )
    assert text(seen).splitlines() == [
        "shops/shop  registry.example.com/shop:1",
        "  run 3f9c2e  Progressing  0/2 · 42%  5:00",
        "  it is Backfilling",
        "▶ main  backfilling  ██████████░░░░░░░░░░ 3/6  8f2a → c01d  5:00",
        "    users.status  ████████░░░░░░░░░░░░ 42%  4.2M/10M rows, 61k rows/s, about 1m35s left, 2 sessions",
        "✗ audit  failed",
        "    revision a1 failed",
        "  hook chat (BeforeDatabase main) delivered",
        "  before: 1a2b3c  2026.11.2  succeeded, 2d ago",
    ]


def test_of_an_earlier_run_only_the_messages_that_have_not_arrived_are_shown() -> None:
    def told(run: str, result: Result) -> HookStatus:
        return HookStatus("chat", HookType.NOTIFY, Point.ON_READY, result, id=f"{run}.{result}", run=run)

    hooks = tuple(
        told(run, result) for run in ("1a2b3c", "3f9c2e") for result in (Result.DELIVERED, Result.FAILED)
    )
    shown = text(migration(State.PROGRESSING, "Migrating", hooks=hooks)).splitlines()
    assert [line.strip() for line in shown if "hook" in line] == [
        "hook chat (OnReady of run 1a2b3c) failed",
        "hook chat (OnReady) delivered",
        "hook chat (OnReady) failed",
    ]


def test_what_differs_from_the_models_is_told_with_its_age() -> None:
    done = DatabaseStatus(
        "main", DatabasePhase.SUCCEEDED, drift=DriftStatus(1, ("column a is missing",), compared_time=START)
    )
    shown = text(migration(State.SUCCEEDED, "Succeeded", databases=(done,)))
    assert "    1 difference between the database and the models: column a is missing (5m ago)" in shown


def test_what_holds_a_backfill_stands_in_the_place_of_its_rate() -> None:
    assert FILLING.backfill is not None
    held = replace(FILLING, backfill=replace(FILLING.backfill, throttled_by="replica a is 7 s behind."))
    shown = text(migration(State.PROGRESSING, "Backfilling", databases=(held,)))
    assert "4.2M/10M rows, holds: replica a is 7 s behind" in shown
    assert "rows/s" not in shown


def test_rows_beside_a_percentage_are_those_that_it_is_of() -> None:
    assert FILLING.backfill is not None
    resumed = replace(FILLING.backfill, rows_done=94_000, rows_total=304_000, percent=51)
    shown = text(migration(State.PROGRESSING, "Backfilling", databases=(replace(FILLING, backfill=resumed),)))
    assert "51%  155k/304k rows, 94k updated, 61k rows/s" in shown


def test_how_long_a_backfill_is_held_is_told_with_what_holds_it() -> None:
    assert FILLING.backfill is not None
    held = replace(FILLING.backfill, throttled_by="replica a is 7 s behind.", throttled_minutes=3)
    shown = text(migration(State.PROGRESSING, "Backfilling", databases=(replace(FILLING, backfill=held),)))
    assert "4.2M/10M rows, holds for 3 min: replica a is 7 s behind" in shown


def test_who_blocks_a_database_stands_below_the_backfill_that_waits_for_it() -> None:
    blocker = "ALTER TABLE users waits for session 4711 (psql of bob, idle in transaction), since 12 s"
    shown = text(migration(State.PROGRESSING, "Backfilling", databases=(replace(FILLING, message=blocker),)))
    assert "users.status  ████████░░░░░░░░░░░░ 42%" in shown
    assert f"\n    {blocker}\n" in shown + "\n"


@pytest.mark.parametrize("attempt", ["", "attempt 2 of 4: "])
@pytest.mark.parametrize(("columns", "name"), [("status", "backfilling users.status"), ("", "fill")])
def test_a_backfill_is_not_told_twice(attempt: str, columns: str, name: str) -> None:
    assert FILLING.backfill is not None
    message = f"{attempt}{name}: 4.2M/10M rows (42%), 61k rows/s, about 1m35s left"
    told = replace(FILLING, message=message, backfill=replace(FILLING.backfill, columns=columns))
    shown = text(migration(State.PROGRESSING, "Backfilling", databases=(told,)))
    assert shown.count("4.2M/10M rows") == 1


def an_event(number: int, **fields: object) -> dict[str, object]:
    told = {
        "eventTime": f"2026-11-03T10:0{number}:00.123456Z",
        "reason": f"Reason{number}",
        "note": f"note {number}",
        "type": "Normal",
        "metadata": {"creationTimestamp": "2026-11-03T09:00:00Z"},
    }
    return {**told, **fields}


def events_shown(*items: dict[str, object]) -> list[tuple[str, str]]:
    seen = Happened(newest(items))
    lines = lines_of(migration(State.SUCCEEDED, "Succeeded"), NOW, seen)
    return [(line.text.strip(), line.style) for line in lines if line.text.startswith("  event ")]


def test_the_last_five_events_stand_in_the_order_in_which_they_happened() -> None:
    shown = events_shown(*(an_event(number) for number in (3, 0, 4, 2, 1)), an_event(5, eventTime=None))
    assert [one.split("Reason")[1][:1] for one, _ in shown] == ["0", "1", "2", "3", "4"]
    assert shown[-1] == ("event 59s ago  Reason4: note 4", "dim")


def test_a_warning_is_seen_and_a_long_note_ends_at_a_word() -> None:
    ((line, style),) = events_shown(an_event(1, type="Warning", note="something is wrong " * 20))
    assert style == "yellow"
    assert line.startswith("event 3m ago  Reason1: something is wrong something")
    assert line.endswith(("something …", "is …", "wrong …"))


def test_the_time_of_an_event_is_that_of_its_last_repetition_wherever_its_sender_writes_it() -> None:
    repeated = an_event(
        1, series={"lastObservedTime": "2026-11-03T10:04:00.000000Z", "count": 3}, reason="Again"
    )
    old = an_event(2, eventTime=None, deprecatedLastTimestamp="2026-11-03T10:03:00Z", reason="Old")
    shown = events_shown(repeated, old, an_event(2))
    assert [line.split("ago")[1].split(":")[0].strip() for line, _ in shown] == ["Reason2", "Old", "Again"]


def test_events_that_may_not_be_read_are_one_line_of_no_weight() -> None:
    lines = list(
        lines_of(migration(State.SUCCEEDED, "Succeeded"), NOW, Happened(unseen="events are not shown: no"))
    )
    assert [line.style for line in lines if "events are not shown: no" in line.text] == ["dim"]


@pytest.mark.parametrize(
    ("state", "reason", "kind", "expected"),
    [
        (State.SUCCEEDED, "Succeeded", "Ready", Verdict.THERE),
        (State.SUCCEEDED, "Succeeded", "Succeeded", Verdict.THERE),
        (State.FAILED, "RevisionFailed", "Ready", Verdict.FAILED),
        (State.READY, "GateOpen", "Ready", Verdict.THERE),
        (State.READY, "GateOpen", "Succeeded", None),
        (State.READY_FAILED, "RevisionFailed", "Ready", Verdict.THERE),
        (State.READY_FAILED, "RevisionFailed", "Succeeded", Verdict.FAILED),
        (State.WAITING, "WaitingForApproval", "Ready", Verdict.NEEDS_APPROVAL),
        (State.WAITING, "Paused", "Ready", None),
        (State.PROGRESSING, "Migrating", "Ready", None),
    ],
)
def test_who_waits_is_told_at_once_what_waiting_does_not_mend(
    state: State, reason: str, kind: str, expected: Verdict | None
) -> None:
    assert verdict(migration(state, reason), kind) is expected
    assert verdict(migration(state, reason, generation=2), kind) is None


def test_a_retry_that_is_not_taken_up_yet_is_waited_for() -> None:
    seen = replace(migration(State.FAILED, "RevisionFailed"), annotations={"headway.dev/retry": "2"})
    assert verdict(seen, "Ready") is None


def test_the_table_has_a_row_for_each_in_order() -> None:
    created = "2026-11-03T08:00:00Z"
    one = migration(State.SUCCEEDED, "Succeeded", progress=Progress(summary="2/2 · 100%"))
    fresh = replace(a_migration(), name="audit")
    assert table_of([(one, created), (fresh, created)], NOW, namespaces=True, wide=False) == [
        "NAMESPACE  NAME   READY    PHASE      PROGRESS    REVISION  AGE",
        "shops      audit  Unknown  -          -           -         2h",
        "shops      shop   True     Succeeded  2/2 · 100%  -         2h",
    ]
    assert table_of([(one, created)], NOW, False, True)[1].endswith("it is Succeeded")


def test_a_long_message_ends_at_a_word() -> None:
    one = migration(State.FAILED, "RevisionFailed")
    conditions = tuple(
        replace(condition, message="something is wrong " * 20) for condition in one.status.conditions
    )
    one = replace(one, status=replace(one.status, conditions=conditions))
    row = table_of([(one, "2026-11-03T08:00:00Z")], NOW, namespaces=False, wide=True)[1]
    assert row.endswith(("something …", "is …", "wrong …"))
    assert len(row) < 200


def test_while_it_is_watched_long_lines_go_on_in_the_next_one() -> None:
    one = migration(
        State.FAILED, "RevisionFailed", databases=(DatabaseStatus("main", message="a word " * 40 + "last"),)
    )
    output = io.StringIO()
    Console(file=output, width=80).print(_drawn(one, Happened()))
    assert " last" in output.getvalue()
    assert all(len(line.rstrip()) <= 80 for line in output.getvalue().splitlines())


def test_the_newest_job_is_that_of_the_database_if_one_is_named() -> None:
    def job(name: str, created: str, database: str = "") -> dict[str, object]:
        marks = {labels.DATABASE: database} if database else {}
        return {"metadata": {"name": name, "creationTimestamp": created, "labels": marks}}

    jobs = [
        job("plan", "1"),
        job("main-2", "3", "main"),
        job("main-1", "2", "main"),
        job("audit-1", "4", "audit"),
    ]
    assert newest_job(jobs, "") is jobs[3]
    assert newest_job(jobs, "main") is jobs[1]
    assert newest_job(jobs, "other") is None


def test_bars_and_ages() -> None:
    assert [bar(share) for share in (-1, 0, 0.5, 2)] == ["░" * 20, "░" * 20, "█" * 10 + "░" * 10, "█" * 20]
    spans = (
        timedelta(seconds=-1),
        timedelta(seconds=42),
        timedelta(minutes=7),
        timedelta(hours=3),
        timedelta(days=2),
    )
    assert [age(one) for one in spans] == ["0s", "42s", "7m", "3h", "2d"]
