"""The log follower and what it makes of events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from headway_contract import events
from headway_contract.wire import Envelope, to_line
from headway_operator.cluster import logs
from headway_operator.cluster.interface import Key, Unavailable
from headway_operator.cluster.lines import split_lines
from headway_operator.cluster.logs import LogFollower, Target
from headway_operator.cluster.telling import told
from headway_operator.planner.snapshot import JobProgress
from support.fake_cluster import FakeCluster
from support.virtual_time import in_virtual_time

KEY = Key("shop", "shop")
TARGET = Target("job", "pod")


def line(sequence: int, event: events.Event) -> str:
    return to_line(Envelope(sequence, f"2026-11-23T08:00:{sequence:02}.000Z", event))


def started(sequence: int, index: int) -> str:
    return line(sequence, events.RevisionStarted("main", f"r{index}", "add users", index, 7))


class BreakingLogs(FakeCluster):
    """Each stream brings what `streams` has next, and then breaks."""

    streams: list[list[str]]
    asked_since: list[str]
    heard: list[events.Event]

    async def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        self.asked_since.append(since)
        if not self.streams:
            await asyncio.Event().wait()
        for text in self.streams.pop(0):
            yield text
        raise Unavailable("the connection broke")


async def follow(streams: list[list[str]], changes: int) -> tuple[BreakingLogs, LogFollower, int]:
    """Follow until so many changes were told, or all streams are read."""
    cluster = BreakingLogs()
    cluster.streams, cluster.asked_since, cluster.heard = streams, [], []
    told_so_far = 0
    enough = asyncio.Event()

    def on_progress(key: Key) -> None:
        nonlocal told_so_far
        told_so_far += 1
        if told_so_far == changes:
            enough.set()

    follower = LogFollower(cluster, on_progress, lambda key, event: cluster.heard.append(event))
    follower.follow(KEY, [TARGET])
    async with asyncio.timeout(20):
        await enough.wait()
    return cluster, follower, told_so_far


async def test_a_broken_stream_is_opened_again_from_the_last_event_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "FIRST_PAUSE_SECONDS", 0.01)
    cluster, follower, _ = await follow([[started(1, 1)], [started(1, 1), started(2, 2)]], changes=2)
    (progress,) = follower.progress_of(KEY)
    assert progress.message == "revision 2 of 7, r2: add users"
    assert cluster.asked_since[:2] == ["", "2026-11-23T08:00:01.000Z"]
    assert [event.revision for event in cluster.heard] == ["r1", "r2"], "what comes twice is heard once"
    assert follower.reopened == {"Ended": 0, "Silent": 0, "Broke": 1, "GaveWay": 0}
    await follower.close()
    assert follower.open == 0


class EndlessLogs(FakeCluster):
    """Each pod asks one thing, and its stream stays open for ever."""

    open = most = 0

    async def follow_log(self, namespace: str, pod: str, since: str) -> AsyncGenerator[str, None]:
        self.calls.append(since)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            yield line(1, events.Asked("main", pod, "add users"))
            await asyncio.Event().wait()
        finally:
            self.open -= 1


@in_virtual_time
async def test_what_a_pod_asks_is_heard_although_more_run_than_may_be_followed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "MAX_STREAMS", 2)
    monkeypatch.setattr(logs, "SILENCE_SECONDS", 1e6)
    cluster, heard = EndlessLogs(), set[Key]()
    follower = LogFollower(cluster, heard.add, lambda key, event: None)
    keys = {Key("shop", f"shop-{number}") for number in range(5)}
    for key in keys:
        follower.follow(key, [Target("job", key.name)])
    await asyncio.sleep(1)
    assert (follower.open, len(heard)) == (2, 2)
    await asyncio.sleep(3 * logs.TURN_SECONDS)
    assert heard == keys
    assert cluster.most == 2
    (progress,) = follower.progress_of(Key("shop", "shop-0"))
    assert progress.asks == "shop-0", "what was heard is kept while others are"
    assert follower.reopened["GaveWay"] > 0
    assert cluster.calls[-1] == "2026-11-23T08:00:01.000Z", "what came before is not read again"
    await follower.close()
    assert (follower.open, cluster.open) == (0, 0)


async def test_lines_that_are_no_events_are_dropped() -> None:
    _, follower, count = await follow([["INFO hello", "##headway {broken", started(1, 1)]], changes=1)
    assert count == 1
    await follower.close()


async def test_a_pod_that_is_not_running_any_more_is_not_followed() -> None:
    _, follower, _ = await follow([[started(1, 1)]], changes=1)
    follower.follow(KEY, [])
    assert follower.progress_of(KEY) == ()
    await follower.close()


def test_an_event_seen_before_changes_nothing() -> None:
    seen = told(JobProgress("job"), Envelope(5, "", events.Notice("main", "new")))
    assert told(seen, Envelope(4, "", events.Notice("main", "old"))) == seen


def test_heartbeats_move_nothing_that_people_see() -> None:
    seen = told(JobProgress("job", message="working"), Envelope(1, "", events.Heartbeat()))
    assert seen.message == "working"


def test_each_kind_of_event_is_told_in_words() -> None:
    progress = JobProgress("job")
    steps: list[tuple[events.Event, str]] = [
        (
            events.LockAwaited("main", 12.3),
            "another run holds the migration lock: waiting for it, since 12 s",
        ),
        (
            events.LockAwaited("main", 12.3, "session 4711"),
            "another run holds the migration lock: waiting for it, since 12 s (session 4711)",
        ),
        (events.LockAcquired("main"), ""),
        (events.RevisionStarted("main", "a1", "add users", 2, 7), "revision 2 of 7, a1: add users"),
        (events.Blocked("main", 4.2, "CREATE INDEX i waits for t"), "CREATE INDEX i waits for t, since 4 s"),
        (events.Blocked("main"), "revision 2 of 7, a1"),
        (events.PassRetried("main", "lock timeout", 1, 4.0), "lock timeout: again in 4 s (try 2)"),
        (events.Stopping(1, "suspended"), "stops at the next safe point: suspended"),
        (events.ComparisonStarted("main"), "compares the database with the models"),
    ]
    for sequence, (event, message) in enumerate(steps, start=1):
        progress = told(progress, Envelope(sequence, "", event))
        assert progress.message == message


def test_several_heads_are_not_replaced_by_the_revision_of_one_of_them() -> None:
    progress = told(JobProgress("job"), Envelope(1, "", events.Planned("main", ("a", "b"), ("c",))))
    assert told(progress, Envelope(2, "", events.RevisionApplied("main", "c"))).current == ("a", "b")


async def test_lines_are_whole_over_chunks_and_bounded() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"one\ntw", b"o\n", b"x" * 50, b"y" * 50, b"\nlast"):
            yield chunk

    assert [text async for text in split_lines(chunks(), limit=20)] == ["one", "two", "x" * 20, "last"]


def after_all(*told_events: events.Event) -> JobProgress:
    progress = JobProgress("job")
    for number, event in enumerate(told_events, 1):
        progress = told(progress, Envelope(number, "2026-11-23T08:00:00Z", event))
    return progress


def test_a_revision_that_asks_is_known_until_it_starts_or_the_pass_is_made_again() -> None:
    asks = events.Asked("main", "r1", "add users")
    assert after_all(asks).asks == "r1"
    assert after_all(asks).message == "asks whether revision r1 (add users) may go"
    assert after_all(asks, events.RevisionStarted("main", "r1", "", 1, 7)).asks == ""
    assert after_all(asks, events.PassRetried("main", "locked")).asks == ""


def test_only_what_is_committed_counts_as_applied() -> None:
    first = events.RevisionApplied("main", "r1", index=1, total=7)
    within = events.RevisionApplied("main", "r2", index=2, total=7, committed=False)
    assert (after_all(first, within).applied, after_all(first, within).left) == (("r1",), 6)
