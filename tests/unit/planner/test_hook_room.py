"""However many hooks there are and whatever they say, the status holds their messages, and nothing gets lost.

The model cluster refuses a status with more than the schema of the resource allows, as the API server does.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway_operator.api.hooks import FailurePolicy, HookStatus, HookType, Point, Result
from headway_operator.api.migration import Strategy
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Run, Status
from headway_operator.planner.deliveries import Polled
from headway_operator.planner.room import HELD_AT_MOST, OPEN_AT_MOST, Room
from headway_operator.planner.throttles import with_states
from support.builders import a_result
from support.crd import resource_schema
from support.fix_depth import examples
from support.hooked import BEFORE, BROKEN, GONE, NO, NOT_YET, TOLD, YES, HookedCluster, a_hook

IGNORE = FailurePolicy.IGNORE
ALL_AT_ONCE = Strategy(16, "Continue")


def test_as_many_are_held_as_the_schema_allows():
    assert resource_schema("status")["properties"]["hooks"]["maxItems"] == HELD_AT_MOST


@pytest.mark.parametrize("answer", [NO, BROKEN], ids=["says no", "is down"])
def test_a_check_that_may_be_ignored_at_every_revision_leaves_room_for_all_that_comes(answer):
    board = a_hook("board", "Check", [Point.BEFORE_REVISION], failure_policy=IGNORE, retries=0)
    cluster = HookedCluster(hooks=[board, a_hook()], revisions=110)
    cluster.receiver.answer = lambda delivery: answer if delivery.hook == "board" else YES
    cluster.settle(4000)
    assert cluster.status.condition("Ready").status == "True"
    assert len([one for one in cluster.receiver.told("chat") if one.startswith("AfterRevision")]) == 110


def test_several_hooks_at_one_point_all_hear_of_it_when_their_receivers_come_back():
    hooks = [a_hook(f"chat{number}", points=[Point.AFTER_REVISION], retries=20) for number in range(16)]
    cluster = HookedCluster(hooks=hooks, revisions=20)
    cluster.receiver.answer = lambda delivery: BROKEN
    while len(cluster.applied.get("main", [])) < 20:
        cluster.reconcile()
        for job in list(cluster.active):
            cluster.step(job.name)
    cluster.receiver.answer = lambda delivery: YES
    cluster.settle()
    for hook in hooks:
        assert len(cluster.receiver.told(hook.name)) == 20


def test_questions_of_many_databases_take_turns_and_each_is_asked_once():
    gates = [a_hook(f"gate{number}", "Gate", BEFORE) for number in range(15)]
    names = [f"db{number}" for number in range(16)]
    cluster = HookedCluster(*names, hooks=[*gates, a_hook()], revisions=2, strategy=ALL_AT_ONCE)
    asked: dict[str, int] = {}

    def answer(delivery):
        asked[delivery.id] = asked.get(delivery.id, 0) + 1
        return NOT_YET if delivery.type is HookType.GATE and asked[delivery.id] == 1 else YES

    cluster.receiver.answer = answer
    cluster.settle(4000)
    assert cluster.status.condition("Ready").status == "True"
    assert max(asked.values()) == 2, "a yes is asked for again only where it was not yet"


def test_databases_that_are_refused_leave_room_for_the_questions_of_the_others():
    gates = [a_hook(f"gate{number}", "Check", [Point.BEFORE_DATABASE]) for number in range(16)]
    names = [f"db{number}" for number in range(16)]
    cluster = HookedCluster(*names, hooks=gates, revisions=1, strategy=ALL_AT_ONCE)
    cluster.receiver.answer = lambda delivery: NO
    cluster.settle(2000)
    assert all(one.phase.is_final for one in cluster.status.databases)


def test_a_yes_is_asked_for_once_though_much_was_told_before_the_next_attempt():
    gate = a_hook("gate", "Gate", [Point.BEFORE_REVISION])
    cluster = HookedCluster("main", "other", hooks=[gate, a_hook()], revisions=60, strategy=Strategy(2))
    asked: list[str] = []

    def answer(delivery):
        if delivery.hook == "gate":
            asked.append(delivery.id)
        return YES

    cluster.receiver.answer = answer
    said_yes = None
    for _ in range(2000):
        cluster.reconcile()
        waiting = [job for job in cluster.active if job.database == "main" and job.has_started]
        for job in list(cluster.active):
            is_let_go = job.pod is not None and bool(job.pod.control.may_go)
            if job in waiting and is_let_go and said_yes is None:
                said_yes = job.name
            if job.name != said_yes:
                cluster.step(job.name)
        if len(cluster.applied.get("other", [])) == 60:
            break
    assert said_yes is not None
    cluster.finish(said_yes, a_result(failure="LockTimeout", database="main", pending_count=60))
    cluster.settle(4000)
    assert cluster.status.condition("Ready").status == "True"
    assert len(asked) == len(set(asked)) == 120


def test_what_more_throttles_say_than_there_is_room_for_is_written_once_those_that_hold_first():
    names = [f"load{number}" for number in range(16)]
    hooks = {name: a_hook(name, "Throttle", [Point.DURING_BACKFILL]) for name in names}
    databases = tuple(DatabaseStatus(f"db{one}", DatabasePhase.BACKFILLING) for one in range(16))
    status = Status(run=Run("r1"), databases=databases)
    polled = tuple(
        Polled(name, f"r1/{one.name}/a1", NOT_YET if place > 12 else YES)
        for place, one in enumerate(databases)
        for name in names
    )
    room, entries = Room.of(status, hooks), ()
    written = []
    for now in ("2026-11-23T08:00:00Z", "2026-11-23T08:00:05Z"):
        entries = room.trimmed(with_states(entries, hooks, polled, status, now))
        written.append(entries)
    assert len(entries) == HELD_AT_MOST
    assert sum(one.result is Result.WAITING for one in entries) == 3 * 16
    assert written[0] == written[1]


def test_the_messages_of_one_point_find_room_together_or_wait():
    room = Room("r1", {}, frozenset(), False)
    waiting = tuple(
        HookStatus("a", HookType.NOTIFY, Point.ON_READY, Result.PENDING, id=f"{one}", run="r1")
        for one in range(OPEN_AT_MOST - 2)
    )
    assert room.has_for(waiting, 2)
    assert not room.has_for(waiting, 3)


def test_what_a_step_waits_for_is_remembered_as_told_however_much_else_is_told_meanwhile():
    told = tuple(
        HookStatus("a", HookType.NOTIFY, Point.BEFORE_DATABASE, Result.DELIVERED, id=f"{one}", run="r1")
        for one in range(100)
    )
    kept = Room("r1", {}, frozenset(), False).trimmed(told, {"0"})
    assert [one.id for one in kept] == ["0", *(f"{one}" for one in range(68, 100))]


KINDS = {HookType.NOTIFY: TOLD, HookType.CHECK: BEFORE, HookType.GATE: BEFORE}


@st.composite
def hooks(draw):
    made = []
    for number in range(draw(st.integers(1, 16))):
        kind = draw(st.sampled_from(list(KINDS)))
        points = draw(st.lists(st.sampled_from(KINDS[kind]), min_size=1, unique=True))
        policy = draw(st.sampled_from([None, IGNORE]))
        retries = draw(st.sampled_from([0, 3]))
        made.append(a_hook(f"hook{number}", kind, points, failure_policy=policy, retries=retries))
    return made


@given(hooks(), st.integers(1, 6), st.integers(1, 25), st.integers(0, 2**32))
@settings(max_examples=examples(25, 500))
def test_with_any_hooks_that_give_any_answers_the_status_is_held_and_all_is_told_in_the_end(
    some, databases, revisions, seed
):
    chance, calm = random.Random(seed), False
    odds = [chance.random() for _ in range(5)]
    cluster = HookedCluster(
        *(f"db{one}" for one in range(databases)),
        hooks=some,
        revisions=revisions,
        strategy=chance.choice([Strategy(), ALL_AT_ONCE]),
    )

    def answer(delivery):
        if calm:
            return YES
        no = GONE if delivery.type is HookType.NOTIFY and chance.random() < 0.02 else BROKEN
        (one,) = chance.choices([YES, NOT_YET, NO, BROKEN, no], odds)
        return one

    cluster.receiver.answer = answer
    for _ in range(chance.randrange(150)):
        decision = cluster.reconcile(crash_after=0 if chance.random() < 0.05 else None)
        for job in list(cluster.jobs.values()):
            if job.deleting and cluster.is_let_go(job):
                cluster.remove(job.name)
            elif job.is_active and chance.random() < 0.7:
                cluster.step(job.name)
        cluster.now += decision.wake_after or cluster.now - cluster.now
    calm = True
    cluster.settle(4000)
    status = cluster.status
    assert not any(one.result.is_open for one in status.hooks)
    assert status.run is not None
    assert not status.run.unsent
    assert not any(one.untold and one.phase.value == "Succeeded" for one in status.databases)


ENTRIES = st.builds(
    HookStatus,
    name=st.sampled_from(["a", "b"]),
    type=st.sampled_from(HookType),
    point=st.sampled_from(Point),
    result=st.sampled_from(Result),
    id=st.uuids().map(str) | st.just(""),
    run=st.sampled_from(["r1", "r2"]),
    database=st.sampled_from(["", "main", "other"]),
)


@given(st.lists(ENTRIES, min_size=1, max_size=30), st.integers(100, 300), st.randoms(use_true_random=False))
@settings(max_examples=examples(50, 1000))
def test_any_messages_are_cut_to_what_the_status_holds_and_cutting_them_again_changes_nothing(
    some, count, chance
):
    entries = chance.choices(some, k=count)
    room = Room(
        "r1",
        {"a": a_hook("a", "Check"), "b": a_hook("b", "Check", failure_policy=IGNORE)},
        frozenset(),
        False,
    )
    kept = room.trimmed(tuple(entries))
    assert len(kept) <= HELD_AT_MOST
    assert room.trimmed(kept) == kept
