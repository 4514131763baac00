"""What became of a hook's message is an event, also where the status has no room to show it."""

from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.api.migration import parse
from headway_operator.api.status import Status
from headway_operator.controller.execute import Report, tell
from headway_operator.planner.snapshot import Snapshot
from support.builders import NOW
from support.fake_cluster import FakeCluster, a_spec


async def test_a_message_that_failed_and_gives_way_to_others_is_told() -> None:
    cluster = FakeCluster()
    migration = parse(cluster.migrations[cluster.add("shop", a_spec("main"))])
    failed = HookStatus(
        "chat", HookType.NOTIFY, Point.ON_READY, Result.FAILED, id="r1.a", run="r1", message="no connection"
    )
    report = Report(Status(observed_generation=1), migration.resource_version, None, (failed,))
    await tell(cluster, Snapshot(NOW, migration), report, lambda _: 0.0)
    (event,) = cluster.events.values()
    assert (event["reason"], event["note"]) == ("HookFailed", "hook chat, OnReady: no connection")
