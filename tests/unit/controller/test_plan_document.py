"""The plan of a Job: its document from the log, else what the result itself has of it."""

from __future__ import annotations

import asyncio

import pytest

from headway_contract.facts import DatabaseFacts, RevisionFacts
from headway_contract.result import DatabasePlan, PendingRevision, Plan
from headway_contract.wire import Envelope, sha256_of, split_document, to_line
from headway_operator.cluster.interface import NotFound
from headway_operator.controller.observe import with_plan
from headway_operator.planner.snapshot import Stage
from support.builders import a_job, a_migration, a_pod, a_result

FACTS = DatabaseFacts(revisions=(RevisionFacts("a1"),))
PLAN = Plan((DatabasePlan("main", pending=(PendingRevision("a1"),), facts=FACTS),))
DOCUMENT = PLAN.to_json()
LOG = "\n".join(to_line(Envelope(1, "", part)) for part in split_document(DOCUMENT))


class Logs:
    """A cluster of logs alone; None: the pod is gone."""

    def __init__(self, log):
        self._log = log

    async def read_log(self, namespace, pod):
        if self._log is None:
            raise NotFound("no pod")
        return self._log


def seen(log, inline):
    result = a_result(plan=inline, plan_sha256=sha256_of(DOCUMENT))
    job = a_job(a_migration(), "", stage=Stage.PLAN, result=result, pod=a_pod())
    return asyncio.run(with_plan(Logs(log), a_migration(), job)).result.plan


def test_the_document_of_the_log_has_the_facts():
    assert seen(LOG, None) == PLAN
    assert seen(LOG, PLAN.without_facts()) == PLAN


@pytest.mark.parametrize("log", ["", None])
def test_a_log_that_is_gone_costs_the_facts_alone_where_the_result_has_the_plan(log):
    assert seen(log, PLAN.without_facts()) == PLAN.without_facts()
    assert seen(log, None) is None
