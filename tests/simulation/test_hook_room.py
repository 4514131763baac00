"""However many hooks there are and whatever they say, the status holds their messages, and nothing gets lost.

The model cluster refuses a status with more than the schema of the resource allows, as the API server does.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway_operator.api.hooks import FailurePolicy, HookType, Point
from headway_operator.api.migration import Strategy
from support.builders import a_result
from support.fix_depth import examples
from support.hooked import BEFORE, BROKEN, GONE, NO, NOT_YET, TOLD, YES, HookedCluster, a_hook

IGNORE = FailurePolicy.IGNORE
ALL_AT_ONCE = Strategy(16, "Continue")


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
