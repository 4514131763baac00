"""`headway plan NAME`: a plan out of the cluster with a reader's rights, also when its log is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.command_line import Headway
from support.fix_cluster import Cluster
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until

READER = [
    {"apiGroups": ["headway.dev"], "resources": ["databasemigrations"], "verbs": ["get"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
"""What docs/plan.md says that a reader needs."""


class Reader:
    """Somebody who may read plans, at a terminal."""

    def __init__(self, control_plane: Cluster, namespace: str, folder: Path) -> None:
        self.kubeconfig = control_plane.kubeconfig_for("plan-reader", READER)
        self.namespace = namespace
        self.folder = folder

    def plan(self, *arguments: str) -> tuple[int, str, str]:
        options = ("-n", self.namespace, "--kubeconfig", str(self.kubeconfig))
        run = Headway(self.folder, "plan", *arguments, *options, environment={"KUBECONFIG": ""})
        return run.wait(), run.out, run.err


@pytest.fixture
def reader(control_plane: Cluster, namespace: str, tmp_path: Path) -> Reader:
    """With their own kubeconfig."""
    return Reader(control_plane, namespace, tmp_path)


def test_the_plan_is_read_out_of_the_log_and_then_out_of_the_status(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, reader: Reader
) -> None:
    project.revision("a1", "op.create_table('t', sa.Column('id', sa.Integer))", title="A table")
    shop.create("shop", {"main": database.url()}, plan={"mode": "Always", "approval": "Required"})
    shop.wait_for_condition("shop", "PlanReady")
    code, out, err = reader.plan("shop")
    assert (code, err) == (0, "")
    assert shop.get("shop")["status"]["plan"]["digest"] in out
    assert "  at base → a1\n   1. a1  A table  [no way back]\n      CREATE TABLE t (id INTEGER)" in out
    code, out, err = reader.plan("shop", "-o", "json")
    told: dict[str, Any] = json.loads(out)
    assert told["databases"][0]["revisions"][0]["statements"][0]["line"] == 12
    (job,) = shop.jobs("Plan")
    shop.client.delete(f"{shop.batch}/{job['metadata']['name']}?propagationPolicy=Background")
    wait_until(lambda: not shop.jobs("Plan"), what="the plan's Job to be gone")
    code, out, err = reader.plan("shop")
    assert (code, err) == (0, "")
    assert "The log of the plan's Job is gone, and with it the statements" in out
    assert "   1. a1  A table" in out
    assert database.tables() == set()


def test_a_resource_that_is_not_there_or_may_not_be_read_is_bad_input(
    reader: Reader, control_plane: Cluster
) -> None:
    code, _, err = reader.plan("nothing")
    assert code == 2
    assert f"there is no DatabaseMigration nothing in the namespace {reader.namespace}" in err
    reader.kubeconfig = control_plane.kubeconfig_for("stranger", ())
    code, _, err = reader.plan("shop")
    assert code == 2
    assert "Reading a plan needs get on databasemigrations" in err
