"""Each point of a run is delivered in order, each message once as the receiver counts ids, however often we die."""

from __future__ import annotations

import random
from functools import cache

import pytest

from headway_operator.api.hooks import Point
from headway_operator.planner.deliveries import Answer, Answered
from support.fix_depth import examples
from support.hooked import BEFORE, BROKEN, NOT_YET, YES, HookedCluster, a_hook, about
from support.judges import objections
from support.model import Refused

RUNS = examples(120, thorough=1000)
LATER = Answered(Answer.TRY_LATER, 429, retry_after_seconds=7, sentence="the receiver answered 429")


def whole_way(databases, count, image="1"):
    """What a listener hears of a run that nothing disturbs."""
    told = ["BeforeMigration"]
    for database in databases:
        told.append(f"BeforeDatabase {database}")
        for number in range(1, count + 1):
            told += [f"{point} {database} {image}-{number}" for point in ("BeforeRevision", "AfterRevision")]
        told.append(f"AfterDatabase {database}")
    return [*told, "OnReady", "AfterMigration"]


class Disturbed:
    """A run in which the operator dies, events are lost and receivers are out of order, by this seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.count = self.chance.randint(1, 4)
        self.databases = ("main", "audit")[: self.chance.randint(1, 2)]
        asked = self.chance.choice([(), BEFORE, BEFORE[2:], BEFORE[:1]])
        hooks = [a_hook(retries=10)]
        if asked:
            hooks.append(a_hook("board", self.chance.choice(["Check", "Gate"]), asked, retries=10))
        self.asked = asked
        self.cluster = HookedCluster(*self.databases, hooks=hooks, revisions=self.count)
        self.cluster.receiver.answer = self.answer
        self.crashes = 0
        self.may_fail = True

    def answer(self, delivery):
        """Often enough yes: ten failures in a row would be given up."""
        if not self.may_fail or self.chance.random() < 0.6:
            return YES
        is_gate = delivery.type == "Gate"
        return self.chance.choice([BROKEN, LATER, NOT_YET if is_gate else BROKEN])

    def disturb(self):
        for _ in range(self.chance.randint(10, 80)):
            cluster = self.cluster
            cluster.loses_events = self.chance.random() < 0.3
            what = self.chance.random()
            if what < 0.35:
                self.look()
            elif what < 0.55:
                self.crashes += 1
                self.look(crash_after=self.chance.randint(0, 4))
            elif what < 0.6:
                self.crashes += 1
                cluster.lose_memory()
            elif what < 0.9:
                for job in list(cluster.active):
                    cluster.step(job.name)
            else:
                cluster.now += cluster.reconcile().wake_after or cluster.snapshot().now - cluster.now
        self.calm()

    def calm(self):
        self.may_fail = False
        self.cluster.settle()

    def look(self, crash_after=None):
        try:
            self.cluster.reconcile(crash_after)
        except Refused:
            return
        status = self.cluster.status
        if crash_after is None and status.observed_generation == self.cluster.resource.generation:
            assert list(objections(status, status.observed_generation)) == []


def seeds(first):
    """Twenty, or those that are left."""
    return range(first, min(first + 20, RUNS))


@cache
def disturbed(seed):
    run = Disturbed(seed)
    run.disturb()
    return run


@pytest.mark.parametrize("first", range(0, RUNS, 20))
def test_nothing_is_missing_and_nothing_comes_twice(first):
    for seed in seeds(first):
        run = disturbed(seed)
        told = run.cluster.receiver.told("chat")
        assert told == whole_way(run.databases, run.count), f"seed {seed}"
        assert len(run.cluster.receiver.ids("chat")) == len(told), f"seed {seed}: an id for each thing told"
        assert all(len(set(own)) == len(own) for own in run.cluster.applied.values())
        if run.asked:
            wanted = [one for one in told if one.split()[0] in {point.value for point in run.asked}]
            assert run.cluster.receiver.told("board") == wanted, f"seed {seed}"


def test_the_disturbance_is_one():
    runs = [disturbed(seed) for seed in range(20)]
    assert sum(run.crashes for run in runs) > 100
    sent_twice = [
        run
        for run in runs
        if len(run.cluster.receiver.got)
        > len(run.cluster.receiver.ids("chat") | run.cluster.receiver.ids("board"))
    ]
    assert len(sent_twice) > 5, "else nothing died between intent and result"
    assert {Point.BEFORE_REVISION} <= {point for run in runs for point in run.asked}


class Superseded(Disturbed):
    """The specification changes once in the middle; paused and resumed now and then."""

    def disturb(self):
        self.edit_at = self.chance.randint(2, 40)
        super().disturb()

    def calm(self):
        self.cluster.annotate("headway.dev/paused", "")
        super().calm()

    def look(self, crash_after=None):
        super().look(crash_after)
        self.edit_at -= 1
        if self.edit_at == 0:
            self.cluster.edit(image="registry.example.com/shop:2")
        self.cluster.annotate("headway.dev/paused", "1" if self.chance.random() < 0.1 else "")


@pytest.mark.parametrize("first", range(0, RUNS, 20))
def test_a_run_that_another_one_takes_over_from_leaves_nothing_untold(first):
    for seed in seeds(first):
        run = Superseded(f"superseded {seed}")
        run.disturb()
        cluster = run.cluster
        by_run = {}
        for delivery in cluster.receiver.got:
            if delivery.hook == "chat":
                by_run.setdefault(delivery.id.partition(".")[0], {}).setdefault(delivery.id, about(delivery))
        assert len(by_run) <= 2
        for told in map(list, map(dict.values, by_run.values())):
            image = "2" if any(" 2-" in one for one in told) else "1"
            expected = whole_way(run.databases, run.count, image)
            assert told == [one for one in expected if one in told], f"seed {seed}"
            applied = {
                f"AfterRevision {name} {one}"
                for name, revisions in cluster.applied.items()
                for one in revisions
                if one.startswith(f"{image}-")
            }
            assert applied == {one for one in told if one.startswith("AfterRevision")}, f"seed {seed}"
            assert not applied or told[-1] == "AfterMigration", f"seed {seed}"


class TakenAway(Disturbed):
    """A Job is removed with its pod while its runner works unheard, and somebody asks for another run."""

    def disturb(self):
        self.take_at = self.chance.randint(2, 40)
        super().disturb()

    def look(self, crash_after=None):
        super().look(crash_after)
        self.take_at -= 1
        if self.take_at > 0 or not any(job.database for job in self.cluster.active):
            return
        self.take_at = 1000
        job = next(job for job in self.cluster.active if job.database)
        self.cluster.loses_events = True
        for _ in range(self.chance.randint(1, 4)):
            self.cluster.step(job.name)
        self.cluster.remove(job.name)
        self.cluster.annotate("headway.dev/retry", "1")


@pytest.mark.parametrize("first", range(0, RUNS, 20))
def test_each_revision_is_told_once_though_its_job_was_taken_away(first):
    for seed in seeds(first):
        run = TakenAway(f"taken away {seed}")
        run.disturb()
        cluster = run.cluster
        told = [one for one in cluster.receiver.told("chat") if one.startswith("AfterRevision")]
        for name in run.databases:
            own = [one.split()[-1] for one in told if f" {name} " in one]
            assert own == cluster.applied.get(name, []), f"seed {seed}"
        assert len(cluster.receiver.ids("chat")) == len(cluster.receiver.told("chat"))
