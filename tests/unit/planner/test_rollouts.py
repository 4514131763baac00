"""When an application counts as rolled out: as kubectl has it, and only with the image of the run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headway_operator.api.migration import PostDeploy, Workload
from headway_operator.api.status import Condition, Status
from headway_operator.cluster.rollout_view import rollout_of
from headway_operator.planner.explain import stamp
from headway_operator.planner.rollouts import QUESTIONS, missing, next_look, waited_for
from headway_operator.planner.snapshot import Rollout
from support.builders import NOW, a_migration, a_rollout, a_snapshot, a_spec

IMAGE = "registry.example.com/shop:1"
SHOP = Workload(deployment="shop")
CART = Workload(stateful_set="cart")


def test_the_questions_are_asked_in_this_order():
    assert [question.__name__ for question in QUESTIONS] == [
        "it_cannot_be_seen",
        "its_image_is_another",
        "it_is_paused",
        "its_controller_has_not_seen_it",
        "it_is_late",
        "its_pods_are_not_updated",
        "older_pods_are_left",
        "its_pods_are_not_available",
    ]


@pytest.mark.parametrize("fields", [{}, {"wished": 0, "pods": 0, "updated": 0, "available": 0}])
def test_a_rollout_of_this_image_whose_pods_are_all_new_and_available_is_complete(fields):
    assert missing(a_rollout(SHOP, **fields), IMAGE) == ""


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"problem": "there is none in this namespace"}, "there is none in this namespace"),
        ({"images": ("old", "proxy")}, f"none of its containers has the image {IMAGE} (they have old, proxy)"),
        ({"images": ()}, f"none of its containers has the image {IMAGE} (they have none)"),
        ({"is_paused": True, "updated": 1}, "its rollout is paused (spec.paused)"),
        ({"observed_generation": 1}, "its controller has not seen its newest specification yet"),
        ({"is_late": True, "updated": 1}, "its rollout has exceeded its progress deadline, 1 of 3 pods are updated"),
        ({"updated": 2}, "2 of 3 pods are updated"),
        ({"pods": 4}, "1 of its pods is of an older version"),
        ({"pods": 5}, "2 of its pods are of an older version"),
        ({"is_one_revision": False}, "some of its pods are of an older version"),
        ({"available": 2}, "2 of 3 pods are available"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(fields, told):
    assert missing(a_rollout(SHOP, **fields), IMAGE) == told


def test_a_workload_that_is_paused_when_its_rollout_is_complete_does_not_matter():
    assert missing(a_rollout(SHOP, is_paused=True), IMAGE) == ""


def waiting(*rollouts: Rollout, later: timedelta = timedelta()):
    ready = Condition("Ready", "True", "GateOpen", "it may", 1, stamp(NOW))
    resource = a_migration(post_deploy=PostDeploy((SHOP, CART)), status=Status(conditions=(ready,)))
    return a_snapshot(resource, rollouts=rollouts, later=later)


def test_all_workloads_are_waited_for_and_each_is_named_with_what_it_lacks():
    spec = waiting().migration.spec
    assert waited_for(waiting(a_rollout(SHOP), a_rollout(CART)), spec) == ""
    assert waited_for(waiting(a_rollout(SHOP, updated=1)), spec) == (
        "Deployment shop: 1 of 3 pods are updated; StatefulSet cart: it has not been looked at yet"
    )


def test_without_anything_to_wait_for_nothing_is_waited_for():
    assert waited_for(a_snapshot(a_migration()), a_spec()) == ""


@pytest.mark.parametrize(
    ("waited", "pause"),
    [(0, 5), (30, 5), (200, 20), (86400, 60)],
)
def test_the_longer_it_takes_the_less_often_it_is_asked(waited, pause):
    seen = waiting(a_rollout(SHOP), a_rollout(CART, updated=1), later=timedelta(seconds=waited))
    assert next_look(seen, seen.migration.spec, NOW) == timedelta(seconds=pause)


def test_what_nobody_has_looked_at_is_looked_at_at_once():
    seen = waiting(a_rollout(SHOP), later=timedelta(days=1))
    assert next_look(seen, seen.migration.spec, NOW) < timedelta(seconds=1)


def deployment(**status):
    return {
        "metadata": {"name": "shop", "generation": 4},
        "spec": {
            "replicas": 3,
            "template": {
                "spec": {
                    "initContainers": [{"name": "copy", "image": "copy:1"}],
                    "containers": [{"name": "shop", "image": IMAGE}, {"name": "proxy", "image": "proxy:2"}],
                }
            },
        },
        "status": status,
    }


def test_a_deployment_is_read_as_kubectl_reads_it():
    body = deployment(
        observedGeneration=4, replicas=4, updatedReplicas=3, availableReplicas=2, conditions=[
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        ],
    )  # fmt: skip
    assert rollout_of(SHOP, body) == Rollout(
        SHOP,
        images=(IMAGE, "proxy:2", "copy:1"),
        generation=4,
        observed_generation=4,
        wished=3,
        pods=4,
        updated=3,
        available=2,
        is_late=True,
    )


def test_a_deployment_that_its_controller_has_never_seen_is_not_complete():
    assert missing(rollout_of(SHOP, deployment()), IMAGE) != ""


def test_a_stateful_set_that_leaves_pods_behind_its_partition_is_not_complete():
    counts = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "observedGeneration": 4}
    body = deployment(**counts, currentRevision="cart-1", updateRevision="cart-2")
    assert missing(rollout_of(CART, body), IMAGE) == "some of its pods are of an older version"
    body["status"]["currentRevision"] = "cart-2"
    assert missing(rollout_of(CART, body), IMAGE) == ""


def test_replicas_that_are_left_out_mean_one():
    body = deployment(observedGeneration=4, replicas=1, updatedReplicas=1, availableReplicas=1)
    del body["spec"]["replicas"]
    assert missing(rollout_of(SHOP, body), IMAGE) == ""
