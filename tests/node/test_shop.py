"""The example as a team applies it: three databases from nothing to head, one after the other."""

from __future__ import annotations

import pytest

from support.node.place import Place
from support.node.team import PATIENCE, Team

pytestmark = pytest.mark.timeout(900)

HEADS = {"main": "backfill_payments", "analytics": "index_events", "audit": "add_audit_details"}


def test_three_databases_come_to_head_in_their_order_in_a_restricted_namespace(
    node_place: Place, team: Team
) -> None:
    databases = {name: node_place.postgres.make_database(name) for name in HEADS}
    team.apply_shop(databases)
    waited = node_place.cluster.kubectl(
        "-n", team.namespace, "wait", "--for=condition=Ready", "dbmig/shop", f"--timeout={PATIENCE:.0f}s"
    )
    assert waited.returncode == 0, f"{waited.stderr}{team.get('shop')['status']}"
    heads = {
        name: database.scalar(f"SELECT version_num FROM alembic_version_{name}")
        for name, database in databases.items()
    }
    assert heads == HEADS
    entries = [team.database("shop", name) for name in HEADS]
    assert [entry["phase"] for entry in entries] == ["Succeeded"] * 3
    ends = [entry["completionTime"] for entry in entries[:-1]]
    assert all(end <= entry["startTime"] for end, entry in zip(ends, entries[1:], strict=True))


def test_the_pod_of_a_job_has_neither_a_token_nor_root(node_place: Place, team: Team) -> None:
    team.apply_shop({"main": node_place.postgres.make_database("main")}, target="create_shop")
    team.wait_until_ready()
    (pod,) = team.pods_of(team.job())
    spec = pod["spec"]
    assert [volume for volume in spec["volumes"] if "projected" in volume] == []
    assert spec["securityContext"]["runAsNonRoot"] is True
    ended = [one["state"]["terminated"]["exitCode"] for one in pod["status"]["containerStatuses"]]
    assert ended == [0]
