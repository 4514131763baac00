"""The chart on a real node: it starts, it may do what it must, and no more."""

from __future__ import annotations

import json

import pytest

from support.node.place import Place
from support.node.release import Release
from support.node.team import Team

pytestmark = pytest.mark.timeout(900)


def test_its_own_test_passes(installed: Release) -> None:
    assert "Succeeded" in installed.test()


def test_one_replica_leads_and_the_other_is_ready_too(installed: Release) -> None:
    leader = installed.wait_for_leader_other_than("")
    pods = installed.pods()
    assert len(pods) == 2
    assert leader in pods
    assert installed.restarted() == []


def test_it_may_not_read_secrets(node_place: Place, installed: Release) -> None:
    account = f"--as=system:serviceaccount:{installed.namespace}:headway"
    answer = node_place.cluster.kubectl("auth", "can-i", "get", "secrets", "--all-namespaces", account)
    assert answer.stdout.strip() == "no"


def test_the_teams_namespace_refuses_a_pod_that_is_not_restricted(node_place: Place, team: Team) -> None:
    container = {"name": "one", "image": node_place.shop_image}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare"},
        "spec": {"containers": [container]},
    }
    refused = node_place.cluster.kubectl("-n", team.namespace, "create", "-f", "-", input=json.dumps(pod))
    assert 'violates PodSecurity "restricted' in refused.stderr
