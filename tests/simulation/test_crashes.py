"""The operator dies before any one of its writes and is started again: the end is always the same."""

from collections.abc import Callable
from typing import Any

import pytest

from headway_operator.cluster.interface import Conflict, Key, Unavailable
from support.driver import Driver, Outcomes, a_rest_waits, a_revision_fails, all_goes_well
from support.fake_cluster import Crash, FakeCluster, a_spec

SPEC = a_spec("main", "analytics", strategy={"maxParallel": 2})


def break_once(number: int, error: type[BaseException]) -> Callable[[str], None]:
    """Fail before the write of this number, counted from 0."""
    seen = iter(range(10**6))

    def before_write(call: str) -> None:
        if next(seen) == number:
            raise error(call)

    return before_write


async def the_end(outcomes: Outcomes, before_write: Callable[[str], None] | None = None) -> FakeCluster:
    cluster = FakeCluster()
    if before_write is not None:
        cluster.before_write = before_write
    driver = Driver(cluster, outcomes)
    await driver.finish(cluster.add("shop", SPEC))
    return cluster


def summary(cluster: FakeCluster) -> dict[str, Any]:
    """All that may not depend on when the operator died."""
    status = cluster.migration(Key("shop", "shop")).status
    return {
        "conditions": [(one.type, one.status, one.reason, one.message) for one in status.conditions],
        "databases": [(one.name, one.phase, one.attempt, one.message) for one in status.databases],
        "jobs": cluster.created_jobs,
        "finalizers": cluster.migration(Key("shop", "shop")).finalizers,
    }


@pytest.mark.parametrize("error", [Crash, Conflict])
@pytest.mark.parametrize("outcomes", [all_goes_well, a_revision_fails("analytics"), a_rest_waits])
async def test_the_end_is_the_same_wherever_the_operator_dies(
    outcomes: Outcomes, error: type[BaseException]
) -> None:
    undisturbed = await the_end(outcomes)
    wanted = summary(undisturbed)
    assert len(set(wanted["jobs"])) == len(wanted["jobs"])
    writes = ("create_job", "delete_job", "set_finalizers", "apply_status", "annotate_pod", "post_event")
    count = sum(call in writes for call in undisturbed.calls)
    assert count > 10
    for number in range(count):
        disturbed = await the_end(outcomes, break_once(number, error))
        assert summary(disturbed) == wanted, f"broken before write {number}"
        # An event that cannot be posted is let go; a crash before it has it told after the restart.
        assert error is Conflict or sorted(disturbed.events) == sorted(undisturbed.events)


async def test_an_api_server_that_is_away_for_a_while_changes_nothing() -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", SPEC)
    cluster.before_write = break_once(0, Unavailable)
    with pytest.raises(Unavailable):
        await driver.look(key)
    cluster.before_write = lambda call: None
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
