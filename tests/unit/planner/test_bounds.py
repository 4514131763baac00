"""However much a runner tells of a database, the status is one that the API server takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.result import DatabasePlan, PendingRevision, Plan
from headway_operator.api.hooks import Point
from headway_operator.api.status import DatabaseStatus, Run, Status
from headway_operator.planner.bounds import bounded
from headway_operator.planner.snapshot import BackfillProgress, JobProgress
from support.builders import a_migration, a_result
from support.crd import beyond_bounds, resource_schema
from support.hooked import a_hook
from support.model import ModelCluster

HEADS = tuple(f"{number:03}-{'x' * 90}" for number in range(40))
NOTICE = "Revision {0} waits until the application is rolled out, and the database is empty: it could be applied now."


def planned(**facts) -> ModelCluster:
    """A cluster whose plan found this; it refuses a status with more than the schema allows."""
    cluster = ModelCluster(a_migration(hooks=(a_hook(points=[Point.BEFORE_DATABASE]),)))
    cluster.reconcile()
    (job,) = cluster.active
    cluster.start_pod(job.name)
    found = {"name": "main", "current": ("a0",), "target": ("a1",), "starts": (("a0",),), **facts}
    cluster.finish(job.name, a_result(plan=Plan((DatabasePlan(**found),))))
    cluster.reconcile()
    return cluster


def test_many_notices_of_a_plan_are_told_from_the_first_to_the_last():
    notices = tuple(NOTICE.format(f"a{number:02}") for number in range(60))
    message = planned(notices=notices).status.database("main").message
    assert message.startswith(notices[0])
    assert message.endswith(notices[-1])
    assert "…" in message


@pytest.mark.parametrize("field", ["current", "target"])
def test_many_heads_are_told_from_the_first_to_the_last(field):
    database = planned(**{field: HEADS}).status.database("main")
    told = getattr(database, f"{field}_revision")
    assert told.startswith(HEADS[0])
    assert told.endswith(HEADS[-1])


def test_a_message_to_a_hook_about_a_database_of_any_number_of_heads_has_room():
    heads = tuple(f"{number:03}-{'x' * 90}" for number in range(400))
    cluster = planned(current=heads, pending=(PendingRevision("a1", "add"),))
    cluster.reconcile()
    cluster.reconcile()
    (entry,) = cluster.status.hooks
    assert '"currentRevision":"000-xxx' in entry.payload


def test_a_title_of_any_length_is_told():
    cluster = planned(pending=(PendingRevision("a1", "word " * 2000),))
    assert cluster.status.database("main").pending[0].title.startswith("word word")


def test_what_a_runner_says_of_its_work_is_told_however_long_it_is():
    cluster = planned(pending=(PendingRevision("a1", "add"),))
    cluster.reconcile()
    (job,) = cluster.active
    cluster.start_pod(job.name)
    cluster.progress[job.name] = JobProgress(job.name, 1, message="word " * 2000)
    cluster.reconcile()
    assert cluster.status.database("main").message.startswith("word word")


def test_a_backfill_of_many_columns_is_told():
    cluster = planned(pending=(PendingRevision("a1", "add"),))
    cluster.reconcile()
    (job,) = cluster.active
    columns = ", ".join(f"a_column_with_a_long_name_{number}" for number in range(60))
    backfill = BackfillProgress("fill", "users", columns, throttled_by="word " * 400)
    cluster.start_pod(job.name)
    cluster.progress[job.name] = JobProgress(job.name, 1, revision="a1", backfill=backfill)
    cluster.reconcile()
    told = cluster.status.database("main").backfill
    assert told.columns.startswith("a_column_with_a_long_name_0, ")
    assert told.columns.endswith("a_column_with_a_long_name_59")


def test_more_revisions_than_can_be_kept_are_told_up_to_there():
    many = tuple(f"a{number}" for number in range(6000))
    status = bounded(Status(run=Run("r1"), databases=(DatabaseStatus("main", untold=many, unasked=many),)))
    assert status.databases[0].untold == many[:5000]
    assert status.databases[0].unasked == many[:5000]


def test_a_status_that_has_room_is_left_as_it_is():
    database = replace(DatabaseStatus("main"), message="m" * 4096, current_revision="r" * 2048)
    status = Status(databases=(database,))
    assert bounded(status) == status
    assert not list(beyond_bounds({"databases": [{"message": "m" * 4096}]}, resource_schema("status")))
