"""Reading SQL takes long: the Lease is renewed and other resources go on while it is done."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from headway_contract.facts import DatabaseFacts, RevisionFacts, Statement, TableFacts
from headway_contract.request import RunRequest
from headway_contract.result import Plan, RunResult
from headway_operator.cluster.interface import Conflict
from headway_operator.controller import queue
from headway_operator.controller.decide import Decider
from headway_operator.controller.elector import Elector
from headway_operator.planner import review
from headway_operator.planner.election import Lease, Terms
from headway_operator.planner.snapshot import Snapshot
from support.builders import a_job, a_migration, a_plan, a_result, a_snapshot, ended
from support.driver import all_goes_well, request_of
from support.fake_cluster import FakeCluster, a_spec
from support.working import running, until

FACTS = DatabaseFacts(
    "postgresql",
    "17.2",
    revisions=(
        RevisionFacts(
            "a1", file="a1.py", statements=(Statement("CREATE INDEX idx ON orders (status)", line=9),)
        ),
        RevisionFacts("b2", file="b2.py"),
    ),
    tables=(TableFacts("orders", "public", 5_000_000, 10**9),),
    tables_known=True,
)


class Leases:
    """A Lease that only this contender wants."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.writes = 0

    async def read(self) -> Lease | None:
        return self.lease

    async def write(self, lease: Lease) -> Lease:
        self.writes += 1
        self.lease = replace(lease, version=str(self.writes))
        return self.lease


class Reading:
    """The lint, which is not done until the loop says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.was_alone = False
        """Nothing else moved meanwhile."""
        really = review.findings

        def findings(facts: DatabaseFacts) -> Any:
            self.has_begun.set()
            self.was_alone = not self.may_end.wait(5)
            return really(facts)

        monkeypatch.setattr(review, "findings", findings)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    made = Reading(monkeypatch)
    yield made
    made.may_end.set()
    assert not made.was_alone


def with_facts(request: RunRequest) -> RunResult:
    """A plan that tells what its revisions do."""
    result = all_goes_well(request)
    assert result.plan is not None
    databases = tuple(replace(one, facts=FACTS) for one in result.plan.databases)
    return replace(result, plan=replace(result.plan, databases=databases))


def finish_plan(cluster: FakeCluster) -> None:
    (job,) = cluster.active_jobs()
    cluster.start_pod(job)
    cluster.finish(job, with_facts(request_of(cluster, job)))


async def test_the_lease_is_renewed_and_others_go_on_while_sql_is_read(reading: Reading) -> None:
    cluster, leases = FakeCluster(), Leases()
    elector = Elector(leases, "me", Terms(15.0, 10.0, 0.01))
    async with running(cluster), asyncio.TaskGroup() as group:
        contending = group.create_task(elector.run())
        key = cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.created_jobs)
        finish_plan(cluster)
        await until(reading.has_begun.is_set)
        renewed, created = leases.writes, len(cluster.created_jobs)
        await until(lambda: leases.writes > renewed + 3)
        cluster.add("other", a_spec("main"))
        await until(lambda: len(cluster.created_jobs) > created)
        assert not reading.may_end.is_set()
        reading.may_end.set()
        await until(lambda: cluster.migrations[key]["status"]["plan"].get("findings"))
        contending.cancel()
    assert elector.may_write()


async def test_an_operator_that_ends_while_sql_is_read_changes_nothing_any_more(reading: Reading) -> None:
    cluster = FakeCluster()
    async with running(cluster):
        cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.created_jobs)
        finish_plan(cluster)
        await until(reading.has_begun.is_set)
        calls = len(cluster.calls)
    reading.may_end.set()
    assert cluster.calls[calls:] == []


async def test_what_was_read_is_used_again_when_the_status_could_not_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "FIRST_PAUSE_SECONDS", 0.01)
    cluster, read = FakeCluster(), []
    really = review.findings

    def findings(facts: DatabaseFacts) -> Any:
        read.append(facts)
        return really(facts)

    def refuse(call: str) -> None:
        """The status that has the findings, twice; whatever else is written goes through."""
        if call == "apply_status" and read and refusals:
            raise refusals.pop()

    refusals: list[Exception] = [Conflict("changed meanwhile"), Conflict("changed meanwhile")]
    monkeypatch.setattr(review, "findings", findings)
    cluster.before_write = refuse
    async with running(cluster):
        key = cluster.add("shop", a_spec("main"))
        await until(lambda: cluster.created_jobs)
        finish_plan(cluster)
        await until(lambda: cluster.migrations[key]["status"].get("plan", {}).get("findings"))
    assert (refusals, len(read)) == ([], 1)


async def test_another_plan_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    decider, read = Decider(), []
    really = review.findings

    def findings(facts: DatabaseFacts) -> Any:
        read.append(facts)
        return really(facts)

    monkeypatch.setattr(review, "findings", findings)
    first = told_plan(FACTS)
    other = told_plan(replace(FACTS, server_version="16.1"))
    for snapshot in (first, first, other, told_plan(replace(FACTS))):
        decided = await decider.decide(snapshot)
        assert decided.status.plan is not None
        assert decided.status.plan.warnings
    assert [one.server_version for one in read] == ["17.2", "16.1", "17.2"]
    decider.close()


def told_plan(facts: DatabaseFacts) -> Snapshot:
    """A resource whose plan Job has just told these facts."""
    (one,) = a_plan(main=["a1", "b2"]).databases
    resource = a_migration()
    result = a_result(plan=Plan((replace(one, facts=facts),)))
    return a_snapshot(resource, ended(a_job(resource), result))
