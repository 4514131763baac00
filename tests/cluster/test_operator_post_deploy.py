"""What waits for the rollout, on the real API server: the application is played by its Deployment's status."""

from __future__ import annotations

from support.fix_postgres import MakeDatabase
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import IMAGE, Resources
from support.waiting import wait_until

MARK = "post_deploy = True"
WAITS = {"waitFor": [{"deployment": "shop"}]}


class Application:
    """A Deployment of two pods; no controller works on it but the test."""

    def __init__(self, shop: Resources) -> None:
        self._client = shop.client
        self._path = f"/apis/apps/v1/namespaces/{shop.namespace}/deployments/shop"

    def release(self, image: str) -> None:
        """Its owner applies a new image."""
        marks = {"app": "shop"}
        pod = {"metadata": {"labels": marks}, "spec": {"containers": [{"name": "shop", "image": image}]}}
        spec = {"replicas": 2, "selector": {"matchLabels": marks}, "template": pod}
        kind = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}}
        self._client.apply(self._path, {**kind, "spec": spec})

    def roll_out(self, updated: int = 2) -> None:
        """So many of its pods are of the newest version, and available."""
        generation = self._client.get(self._path)["metadata"]["generation"]
        counts = {"replicas": 2, "updatedReplicas": updated, "readyReplicas": 2, "availableReplicas": 2}
        self._client.patch(f"{self._path}/status", {"status": {"observedGeneration": generation, **counts}})


def wait_until_told(shop: Resources, what: str) -> None:
    wait_until(lambda: what in shop.condition("shop", "Succeeded").get("message", ""), what=what)


def test_the_rest_runs_when_the_application_of_this_generation_is_rolled_out(
    operator: OperatorProcess, shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    project.tables("users").tables("orders", mark=MARK)
    databases = {name: make_database(name) for name in ("main", "audit")}
    application = Application(shop)
    application.release("shop:0")
    application.roll_out()
    shop.create("shop", {name: one.url() for name, one in databases.items()}, postDeploy=WAITS)
    assert shop.wait_for_condition("shop", "Ready")["reason"] == "GateOpen"
    wait_until_told(shop, f"none of its containers has the image {IMAGE}")
    assert all("orders" not in one.tables() for one in databases.values())
    assert shop.jobs("PostDeploy") == []
    assert shop.database("shop", "main")["pending"] == [
        {"revision": "orders", "title": "revision orders", "postDeploy": True}
    ]

    application.release(IMAGE)
    application.roll_out(updated=1)
    wait_until_told(shop, "1 of 2 pods are updated")
    application.roll_out()
    shop.wait_for_condition("shop", "Succeeded")
    assert all("orders" in one.tables() for one in databases.values())
    jobs = [job["metadata"]["labels"]["headway.dev/database"] for job in shop.jobs("PostDeploy")]
    assert sorted(jobs) == ["audit", "main"]
    assert {"DatabaseReady", "GateOpen", "WaitingForRollout", "Succeeded"} <= set(shop.event_reasons())


def test_a_failure_behind_the_gate_is_told_and_a_retry_mends_it_without_closing_the_gate(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users").revision("broken", "op.execute('ALTER TABLE missing ADD x int')", mark=MARK)
    shop.create("shop", {"main": database.url()})
    failed = shop.wait_for_condition("shop", "Succeeded", "False")
    assert failed["reason"] == "RevisionFailed"
    assert 'relation "missing" does not exist' in failed["message"]
    ready = shop.condition("shop", "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "GateOpen")
    database.execute("CREATE TABLE missing (id int)")
    shop.annotate("shop", retry="1")
    shop.wait_for_condition("shop", "Succeeded")
    assert shop.condition("shop", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]


def test_a_workload_that_is_not_there_is_waited_for_until_nothing_is_to_be_waited_for(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users", mark=MARK)
    shop.create("shop", {"main": database.url()}, postDeploy={"waitFor": [{"statefulSet": "cart"}]})
    wait_until_told(shop, "StatefulSet cart: there is none in this namespace")
    assert shop.jobs() == []
    shop.change("shop", postDeploy=None)
    shop.wait_for_condition("shop", "Succeeded")
    assert "users" in database.tables()
