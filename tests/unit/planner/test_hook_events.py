"""What became of hooks, as `kubectl events` tells it: what somebody must know of, and nothing of what went well."""

import pytest

from headway_operator.api.hooks import FailurePolicy, Point
from headway_operator.planner.news import news
from support.hooked import BROKEN, GONE, NO, NOT_YET, YES, HookedCluster, a_hook

OURS = ("HookFailed", "HookMessagesLost")


class WatchedCluster(HookedCluster):
    """Keeps the events that tell of hooks; ``dies`` is how often the operator dies once it has posted some."""

    def __init__(self, *databases, **fields):
        super().__init__(*databases, **fields)
        self.events, self.dies = [], 0

    def execute(self, decision, read, crash_after=None):
        happened = news(read.status, decision.status, 4, "shop", decision.given_way)
        told = [one for one in happened if one.reason in OURS]
        self.events += told
        if told and self.dies:
            self.dies -= 1
            crash_after = len(decision.actions) + len(decision.sweep)
        super().execute(decision, read, crash_after)

    def told(self):
        """What a person reads: the same key is the same event."""
        assert all(one.warning for one in self.events)
        events = {one.key: (one.reason, one.message) for one in self.events}
        return list(events.values())


def settled(*hooks, answer, **fields):
    cluster = WatchedCluster(hooks=hooks, **fields)
    cluster.receiver.answer = answer
    cluster.settle()
    return cluster


@pytest.mark.parametrize("dies", [0, 2], ids=["at once", "with an operator that dies twice"])
def test_each_message_that_its_receiver_does_not_take_is_told_once_with_what_it_was_about(dies):
    hook = a_hook(points=[Point.BEFORE_MIGRATION, Point.AFTER_REVISION, Point.AFTER_DATABASE])
    cluster = WatchedCluster(hooks=[hook], revisions=1)
    cluster.receiver.answer = lambda delivery: YES if delivery.point is Point.BEFORE_MIGRATION else NO
    cluster.dies = dies
    cluster.settle()
    assert cluster.told() == [
        ("HookFailed", "hook chat, AfterRevision main 1-1: the receiver answered 409"),
        ("HookFailed", "hook chat, AfterDatabase main: the receiver answered 409"),
    ]
    assert len(cluster.events) == 2 + dies, "none is posted again but by an operator that died"
    assert cluster.status.condition("Ready").status == "True", "who only listens holds nothing"


def test_a_receiver_that_wants_no_more_is_told_of_once():
    cluster = settled(a_hook(), answer=lambda delivery: GONE)
    assert cluster.told() == [("HookFailed", "hook chat, BeforeMigration: the receiver answered 410")]


def test_attempts_that_come_before_the_last_one_are_no_events():
    hook = a_hook(points=[Point.AFTER_MIGRATION], retries=2)
    cluster = settled(hook, answer=lambda delivery: BROKEN)
    assert cluster.told() == [("HookFailed", "hook chat, AfterMigration: no connection, after 3 attempts")]


def test_a_check_that_may_be_ignored_is_told_of_though_it_ends_nothing():
    hook = a_hook("board", "Check", [Point.BEFORE_DATABASE], failure_policy=FailurePolicy.IGNORE)
    cluster = settled(hook, answer=lambda delivery: NO)
    assert cluster.told() == [("HookFailed", "hook board, BeforeDatabase main: the receiver answered 409")]
    assert cluster.status.condition("Ready").status == "True"


def test_a_gate_that_waits_is_no_event_before_it_refuses():
    answers = iter([NOT_YET, NOT_YET, NO])
    cluster = settled(
        a_hook("window", "Gate", [Point.BEFORE_MIGRATION]), answer=lambda delivery: next(answers)
    )
    assert cluster.told() == [("HookFailed", "hook window, BeforeMigration: the receiver answered 409")]


def test_what_is_delivered_is_no_event():
    cluster = settled(
        a_hook(), a_hook("board", "Check", [Point.BEFORE_REVISION]), answer=lambda delivery: YES
    )
    assert cluster.told() == []


def test_messages_that_find_no_room_before_a_new_run_begins_are_told_as_lost_with_their_number():
    hook = a_hook(points=[Point.AFTER_REVISION], retries=10)
    cluster = WatchedCluster(hooks=[hook], revisions=100)
    cluster.receiver.answer = lambda delivery: BROKEN
    while len(cluster.applied.get("main", [])) < 100:
        cluster.reconcile()
        for job in list(cluster.active):
            cluster.step(job.name)
    assert cluster.told() == []
    cluster.edit(image="shop:2")
    cluster.receiver.answer = lambda delivery: YES
    cluster.settle()
    lost = [message for reason, message in cluster.told() if reason == "HookMessagesLost"]
    assert lost == [
        "a new run began while messages could not be delivered: of 4 more nobody was told",
    ]
    of_first = [one for one in cluster.receiver.told("chat") if " 1-" in one]
    assert len(of_first) == 96, "those that had found room are sent"


@pytest.mark.parametrize("dies", [0, 2], ids=["at once", "with an operator that dies twice"])
def test_a_failure_is_told_also_when_so_much_is_delivered_beside_it_that_the_status_does_not_show_it(dies):
    hooks = [a_hook(name, points=[Point.AFTER_REVISION]) for name in ("chat", "mail", "board")]
    cluster = WatchedCluster(hooks=hooks, revisions=20)
    cluster.receiver.answer = lambda delivery: NO if delivery.hook == "chat" else YES
    cluster.dies = dies
    while not cluster.applied:
        cluster.reconcile()
        for job in list(cluster.active):
            cluster.step(job.name)
    for _ in range(19):
        cluster.step(cluster.active[0].name)
    cluster.settle()
    assert cluster.told() == [
        ("HookFailed", f"hook chat, AfterRevision main 1-{number}: the receiver answered 409")
        for number in range(1, 21)
    ]
