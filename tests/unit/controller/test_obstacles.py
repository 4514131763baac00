"""A pod that cannot start is said at once, by its own reason, and nothing is started in its place."""

import pytest

from support.driver import Driver
from support.fake_cluster import FakeCluster, a_spec


@pytest.mark.parametrize(
    ("word", "message", "reason"),
    [
        ("ImagePullBackOff", 'Back-off pulling image "shop:1"', "ImageNotPulled"),
        ("CreateContainerConfigError", 'secret "shop-main" not found', "SecretNotFound"),
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            "ImageRunsAsRoot",
        ),
        ("CreateContainerError", "context deadline exceeded", "ContainerNotCreated"),
        ("CreateContainerError", "", "ContainerNotCreated"),
        ("RunContainerError", "cgroup: no space left on device", "ContainerNotCreated"),
        (
            "CreateContainerError",
            "container create failed: executable file `/app/python` not found in $PATH: No such file or directory",
            "InterpreterNotFound",
        ),
    ],
)
async def test_what_keeps_a_pod_from_starting_is_the_reason(word: str, message: str, reason: str) -> None:
    cluster = FakeCluster()
    driver = Driver(cluster)
    key = cluster.add("shop", a_spec("main"))
    await driver.look(key)
    (job,) = cluster.created_jobs
    cluster.pod_waits(job, word, message)
    await driver.look(key)
    assert cluster.condition(key, "Reconciling") == ("True", reason)
    found = cluster.migration(key).status.condition("Ready")
    assert found is not None
    assert message in found.message
    if word in ("CreateContainerError", "RunContainerError"):
        assert f" {word}" in found.message
    await driver.finish(key)
    assert cluster.condition(key, "Ready") == ("True", "Succeeded")
    assert cluster.created_jobs[0] == job
