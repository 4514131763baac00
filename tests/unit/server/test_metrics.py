"""What is counted, in the text that Prometheus reads."""

import asyncio
import re
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from headway_contract import events
from headway_operator.api.conditions import OWN_CONDITIONS, State, conditions_for
from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import (
    BackfillStatus,
    DatabasePhase,
    DatabaseStatus,
    FinishedBackfill,
    HistoryEntry,
    Progress,
    Run,
    Status,
)
from headway_operator.cluster.interface import Key
from headway_operator.controller.courier import Courier
from headway_operator.planner.deliveries import Answered, Delivery
from headway_operator.planner.outbox import Batch, Letter
from headway_operator.server.metrics.deliveries import Deliveries
from headway_operator.server.metrics.holds import kind_of
from headway_operator.server.metrics.leadership import Leadership
from headway_operator.server.metrics.loop_lag import LoopLag
from headway_operator.server.metrics.registry import registry, shown
from headway_operator.server.metrics.runs import Runs
from headway_operator.server.metrics.witness import Counting
from headway_operator.server.metrics.work import Requests
from support.builders import a_migration
from support.hooked import NOT_YET
from support.tree import ROOT
from support.working import until

START, END = "2026-11-03T10:00:00Z", "2026-11-03T10:30:00Z"
RUN = Run("3f9c2e", start_time=START)


def migration(reason: str, state: State = State.PROGRESSING, **fields: object) -> Migration:
    own = dict.fromkeys(OWN_CONDITIONS, ("Unknown", reason, "because"))
    status = Status(conditions=conditions_for(state, reason, "because", own, 1), run=RUN)
    return replace(a_migration(), status=replace(status, **fields))  # type: ignore[arg-type]


def filling(rows: int, held: str = "") -> DatabaseStatus:
    backfill = BackfillStatus(
        operation="fill", table="users", rows_done=rows, rows_total=100, throttled_by=held
    )
    return DatabaseStatus("main", DatabasePhase.BACKFILLING, backfill=backfill)


def text(*collectors: object) -> str:
    return shown(registry(collectors)).decode()  # type: ignore[arg-type]


def value(metrics: str, series: str) -> float | None:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.M)
    return float(found[1]) if found else None


def test_a_resource_has_its_series_until_it_is_deleted() -> None:
    counting = Counting()
    seen = migration(
        "Backfilling",
        phase="Backfilling",
        progress=Progress(percent=42, updated_time=START),
        databases=(filling(40, "replica standby1 is 7 s behind (limit 5 s)"),),
        history=(
            HistoryEntry("a", result="Failed", completion_time=END),
            HistoryEntry("b", result="Succeeded", completion_time=START),
        ),
    )
    counting.saw(seen)
    metrics = text(*counting.collectors)
    assert value(metrics, 'headway_migration_progress_ratio{name="shop",namespace="shops"}') == 0.42
    assert 'reason="Backfilling",status="Unknown",type="Ready"} 1.0' in metrics
    assert 'by="ReplicaLag"' in metrics
    assert "standby1" not in metrics
    assert re.search(r"last_success_timestamp_seconds\{.*\} 1\.7", metrics)
    counting.gone(seen.namespace, seen.name)
    assert 'name="shop"' not in text(*counting.collectors)


def test_a_held_backfill_has_no_rate_and_nobody_knows_how_long_it_takes() -> None:
    def told(held: str) -> str:
        backfill = BackfillStatus(
            operation="fill", table="users", rows_done=40, rows_total=100, rows_per_second=900, eta_seconds=7,
            throttled_by=held,
        )  # fmt: skip
        counting = Counting()
        entry = DatabaseStatus("main", DatabasePhase.BACKFILLING, backfill=backfill)
        counting.saw(migration("Backfilling", databases=(entry,)))
        return text(*counting.collectors)

    labels = '{database="main",name="shop",namespace="shops",table="users"}'
    rate, left = (
        f"headway_migration_backfill_{one}{labels}" for one in ("rows_per_second", "remaining_seconds")
    )
    assert (value(told(""), rate), value(told(""), left)) == (900, 7)
    held = told("paused: the resource's annotation says so")
    assert (value(held, rate), value(held, left)) == (0, None)


def test_the_time_of_a_run_is_split_into_work_and_what_it_waited_for() -> None:
    now = [0.0]
    runs = Runs(lambda: now[0])
    for reason, seconds in (("Planning", 5), ("WaitingForApproval", 600), ("Migrating", 30)):
        runs.saw(migration(reason))
        now[0] += seconds
    runs.saw(
        migration("Succeeded", State.SUCCEEDED, run=replace(RUN, completion_time=END, result="Succeeded"))
    )
    runs.saw(
        migration("Succeeded", State.SUCCEEDED, run=replace(RUN, completion_time=END, result="Succeeded"))
    )
    metrics = text(runs)
    assert value(metrics, 'headway_run_duration_seconds_sum{result="Succeeded"}') == 1800
    assert value(metrics, 'headway_run_duration_seconds_count{result="Succeeded"}') == 1
    assert value(metrics, "headway_run_active_seconds_sum") == 35
    assert value(metrics, 'headway_run_waiting_seconds_sum{reason="WaitingForApproval"}') == 600


def test_a_run_that_was_over_when_it_was_first_seen_is_not_counted() -> None:
    runs = Runs(lambda: 0.0)
    runs.saw(
        migration("Succeeded", State.SUCCEEDED, run=replace(RUN, completion_time=END, result="Succeeded"))
    )
    assert value(text(runs), 'headway_run_duration_seconds_count{result="Succeeded"}') == 0


def test_what_may_come_is_there_at_nought_so_that_its_first_time_is_an_increase() -> None:
    metrics = text(*Counting().collectors)
    for series in (
        'headway_run_duration_seconds_count{result="Failed"}',
        'headway_run_waiting_seconds_count{reason="WaitingForApproval"}',
        'headway_hook_calls_total{answer="Accepted",type="Notify"}',
        'headway_hook_deliveries_total{result="Failed",type="Check"}',
    ):
        assert value(metrics, series) == 0, series


def test_rows_are_counted_once_and_to_the_last_one() -> None:
    now = [0.0]
    runs = Runs(lambda: now[0])
    for rows, held in ((10, ""), (60, "replica a is 7 s behind"), (60, ""), (40, "")):
        runs.saw(migration("Backfilling", databases=(filling(rows, held),)))
        now[0] += 3
    done = DatabaseStatus("main", DatabasePhase.MIGRATING, backfills=(FinishedBackfill("fill", rows=100),))
    runs.saw(migration("Migrating", databases=(done,)))
    runs.saw(migration("Migrating", databases=(done,)))
    metrics = text(runs)
    assert value(metrics, "headway_backfill_rows_total") == 50 + 60
    assert value(metrics, 'headway_backfill_held_seconds_total{by="ReplicaLag"}') == 3


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("replica standby1 is 7 s behind (limit 5 s)", "ReplicaLag"),
        ("replication slot s keeps 9 GiB of WAL (limit 4 GiB)", "ReplicationSlot"),
        ("50 WAL segments wait to be archived (limit 42)", "ArchiveBacklog"),
        ("2 sessions wait 300 ms for the backfill (limit 200 ms)", "BlockedSessions"),
        ("40 other sessions work at the same time (limit 16)", "BusySessions"),
        ("the table has 9,000 dead rows that wait for VACUUM (limit 5,000)", "DeadRows"),
        ("commits take 300 ms (limit 100 ms)", "SlowCommits"),
        ("outside its windows until Monday 22:00 UTC", "Window"),
        ("jobs in the queue is 3 (goes on at 0)", "Query"),
        ("the annotation headway.dev/paused is set", "Paused"),
        ("something new", "Other"),
    ],
)
def test_what_holds_a_backfill_is_one_word_of_a_dozen(sentence: str, kind: str) -> None:
    assert kind_of(sentence) == kind


def test_each_message_to_a_hook_is_counted_once_when_it_is_done() -> None:
    deliveries = Deliveries()
    old = HookStatus("chat", HookType.NOTIFY, Point.AFTER_DATABASE, Result.DELIVERED, id="old", attempts=1)
    pending = replace(old, id="new", result=Result.PENDING, attempts=0)
    steps = (pending, replace(pending, attempts=2), replace(pending, attempts=3, result=Result.FAILED))
    for step in (*steps, steps[-1]):
        deliveries.saw(migration("Migrating", hooks=(old, step)))
    metrics = text(deliveries)
    assert value(metrics, 'headway_hook_deliveries_total{result="Failed",type="Notify"}') == 1
    delivered = 'headway_hook_deliveries_total{result="Delivered",type="Notify"}'
    assert value(metrics, delivered) == 0, "it was done before it was first seen"


def test_waits_for_locks_are_counted_as_runners_tell_of_them() -> None:
    counting = Counting()
    told: list[tuple[str, events.Event]] = [
        ("shop", events.PassRetried("main", "the lock on users", attempt=1, wait_seconds=2.5)),
        ("shop", events.LockAwaited("main")),
        ("shop", events.LockAwaited("main", seconds=10)),
        ("shop", events.Blocked("main", 3)),
        ("other", events.LockAwaited("main", seconds=4)),
        ("shop", events.LockAwaited("main", seconds=25)),
        ("shop", events.Blocked("main", 1, "another wait")),
    ]
    for name, event in told:
        counting.heard("shops", name, event)
    metrics = text(*counting.collectors)
    assert value(metrics, "headway_lock_timeouts_total") == 1
    assert value(metrics, "headway_lock_retry_pause_seconds_total") == 2.5
    assert value(metrics, "headway_migration_lock_contended_total") == 1
    assert value(metrics, 'headway_lock_wait_seconds_total{lock="Migration"}') == 25 + 4
    assert value(metrics, 'headway_lock_wait_seconds_total{lock="OtherSessions"}') == 3 + 1
    counting.gone("shops", "shop")
    counting.heard("shops", "shop", events.LockAwaited("main", seconds=30))
    metrics = text(*counting.collectors)
    assert value(metrics, 'headway_lock_wait_seconds_total{lock="Migration"}') == 29 + 30, "it is another one"


async def test_how_late_the_loop_is_is_what_a_sleep_takes_too_long() -> None:
    now, late = [0.0], [0.0, 0.2, 3.0]

    async def sleep(seconds: float) -> None:
        if not late:
            raise asyncio.CancelledError
        now[0] += seconds + late.pop(0)

    lag = LoopLag(lambda: now[0], sleep)
    with pytest.raises(asyncio.CancelledError):
        await lag.measure()
    metrics = text(lag)
    assert value(metrics, "headway_event_loop_lag_seconds_sum") == pytest.approx(3.2)
    assert value(metrics, 'headway_event_loop_lag_seconds_bucket{le="0.25"}') == 2
    assert value(metrics, 'headway_event_loop_lag_seconds_bucket{le="5.0"}') == 3


async def test_calls_to_hooks_are_counted_by_what_was_answered() -> None:
    counting, calls = Counting(), []

    class Quick:
        async def send(self, delivery: Delivery) -> Answered:
            return NOT_YET

    carrier = Courier(Quick(), lambda key, is_awaited: calls.append(key), counting.called)
    delivery = Delivery("a", "gate", HookType.GATE, Point.BEFORE_MIGRATION, "e", "s", "r", {}, "now")
    carrier.carry(Key("shop", "shop"), (Batch("a", (Letter(delivery, 1),)),), ())
    await until(lambda: calls)
    metrics = text(*counting.collectors)
    assert value(metrics, 'headway_hook_calls_total{answer="NotYet",type="Gate"}') == 1


def test_the_operators_own_work_and_lead_are_told() -> None:
    counting = Counting()
    counting.work.queue_depth = lambda: 3
    counting.work.log_streams = lambda: 2
    counting.work.log_reconnects = lambda: {"Silent": 5}
    counting.reconciled("conflict", 0.2)
    metrics = text(*counting.collectors, Leadership(lambda: 1, lambda: 4))
    assert value(metrics, 'headway_reconciles_total{result="conflict"}') == 1
    assert value(metrics, "headway_queue_depth") == 3
    assert value(metrics, "headway_log_streams") == 2
    assert value(metrics, 'headway_log_reconnects_total{reason="Silent"}') == 5
    assert value(metrics, "headway_leader") == 1
    assert value(metrics, "headway_lease_transitions_total") == 4


async def test_requests_are_counted_and_a_watch_tells_when_it_was_accepted() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=409 if request.method == "PATCH" else 200)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    requests = Requests()
    async with TestServer(app) as server:
        url = server.make_url("/")
        async with aiohttp.ClientSession(base_url=url, trace_configs=[requests.trace()]) as session:
            for path in ("apis/batch/v1/jobs", "apis/batch/v1/jobs?watch=true"):
                async with session.get(path):
                    pass
            async with session.patch("apis/batch/v1/jobs/a"):
                pass
    async with aiohttp.ClientSession(base_url=url, trace_configs=[requests.trace()]) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get("api")
    metrics = text(requests)
    assert value(metrics, 'headway_api_requests_total{code="200",method="GET"}') == 2
    assert value(metrics, 'headway_api_requests_total{code="409",method="PATCH"}') == 1
    assert value(metrics, 'headway_api_requests_total{code="none",method="GET"}') == 1
    assert value(metrics, 'headway_api_request_duration_seconds_count{method="GET"}') == 1, "not of the watch"
    assert value(metrics, 'headway_watch_connect_timestamp_seconds{resource="jobs"}')


def test_the_page_has_every_metric_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", page, re.M)
    collectors = (Leadership(int, int), *Counting().collectors, Requests(), LoopLag())
    families = [family for one in collectors for family in one.collect()]
    suffix = {"counter": "_total", "info": "_info"}
    assert told == [(one.name + suffix.get(one.type, ""), one.type, one.documentation) for one in families]
