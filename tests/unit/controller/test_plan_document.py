"""The plan of a Job: its document from the log, else what the result itself has of it."""

from __future__ import annotations

import asyncio
import tracemalloc

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from headway_contract.facts import DatabaseFacts, RevisionFacts
from headway_contract.result import DatabasePlan, PendingRevision, Plan
from headway_contract.wire import PART_CHARACTERS, Envelope, sha256_of, split_document, to_line
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import NotFound
from headway_operator.cluster.kube import KubeCluster
from headway_operator.controller.observe import MOST_PARTS, with_plan
from headway_operator.planner.plan import plan as plan_run
from headway_operator.planner.snapshot import JobState, Stage
from support.builders import a_job, a_migration, a_pod, a_result, a_snapshot

FACTS = DatabaseFacts(revisions=(RevisionFacts("a1"),))
PLAN = Plan((DatabasePlan("main", pending=(PendingRevision("a1"),), facts=FACTS),))
DOCUMENT = PLAN.to_json()
MEGABYTE = 1_000_000


def lines_of(document):
    return [to_line(Envelope(place, "", part)) for place, part in enumerate(split_document(document), 1)]


LOG = lines_of(DOCUMENT)


class Logs:
    """A cluster of logs alone; None: the pod is gone."""

    def __init__(self, log):
        self._log = log

    async def read_log(self, namespace, pod):
        if self._log is None:
            raise NotFound("no pod")
        for line in self._log:
            yield line


def plan_job(inline, document=DOCUMENT):
    result = a_result(plan=inline, plan_sha256=sha256_of(document))
    return a_job(a_migration(), "", stage=Stage.PLAN, result=result, pod=a_pod(), state=JobState.SUCCEEDED)


def seen(log, inline, document=DOCUMENT):
    return asyncio.run(with_plan(Logs(log), a_migration(), plan_job(inline, document)))


def test_the_document_of_the_log_has_the_facts():
    assert seen(LOG, None).result.plan == PLAN
    assert seen(LOG, PLAN.without_facts()).result.plan == PLAN


@pytest.mark.parametrize("log", [[], None])
def test_a_log_that_is_gone_costs_the_facts_alone_where_the_result_has_the_plan(log):
    assert seen(log, PLAN.without_facts()).result.plan == PLAN.without_facts()
    assert seen(log, None).result.plan is None


async def test_of_what_else_a_project_prints_nothing_is_held_however_much_it_is():
    """The operator may have 100 MB: a log is larger, in many lines or in a single one."""

    async def send(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(48):
            await response.write((b"x" * 999 + b"\n") * 1000)
        for _ in range(16):
            await response.write(b"x" * MEGABYTE)
        await response.write(("\n" + "\n".join(LOG)).encode())
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", send)
    async with TestServer(app) as running, aiohttp.ClientSession(base_url=running.make_url("/")) as session:
        tracemalloc.start()
        try:
            job = await with_plan(KubeCluster(ApiServer(session)), a_migration(), plan_job(None))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert job.result.plan == PLAN
    assert most < 16 * MEGABYTE


LONG = "x" * (PART_CHARACTERS * MOST_PARTS + 1)
GIVEN_UP = "the plan's log tells it in 5,501 pieces of 1,500 characters, and at most 5,500 are read"


def said(job):
    status = plan_run(a_snapshot(a_migration(), job)).status
    return status.condition("PlanReady").reason, status.condition("PlanReady").message


def test_a_document_that_is_too_long_costs_what_the_revisions_do_and_the_status_says_so():
    job = seen(lines_of(LONG), PLAN.without_facts(), LONG)
    assert job.result.plan == PLAN.without_facts()
    assert said(job) == ("Planned", f"1 revision to apply; what the revisions do was not read: {GIVEN_UP}")


def test_without_the_plan_in_the_result_it_is_a_plan_that_cannot_be_read_and_the_status_says_why():
    _, message = said(seen(lines_of(LONG), None, LONG))
    assert GIVEN_UP in message
    assert "Look at the Job's log" in message
