"""The operator looks for pods that outlive their Jobs, also when no Job is left."""

from headway_operator.api import labels
from headway_operator.api.status import Run, Status
from headway_operator.controller.observe import observe
from support.builders import NOW, a_migration

MARKS = {labels.STAGE: "Migrate", labels.DATABASE: "main"}
POD = {
    "metadata": {"name": "shop-main-1-abcde", "labels": MARKS},
    "spec": {"nodeName": "worker-3"},
    "status": {"phase": "Running"},
}


class OnlyAPod:
    """A cluster in which somebody has deleted every Job."""

    async def list_jobs(self, key, uid):
        return []

    async def list_pods(self, key, uid):
        return [POD]


async def test_a_run_that_is_not_over_sees_the_pod_of_a_job_that_is_gone():
    going_on = a_migration(status=Status(run=Run(id="r1", identity="i1")))
    sight = await observe(OnlyAPod(), going_on, (), NOW)
    assert [stray.name for stray in sight.snapshot.strays] == ["shop-main-1-abcde"]
