"""No credential and no value of a statement is anywhere in the cluster but in Secrets: with the real operator.

The pod's log is searched but for the lines of the user's own code and of Alembic's own log.
"""

import json
from typing import Any

import pytest

from support.apiclient import ApiClient
from support.controlplane import Cluster
from support.fix_canaries import Place
from support.operator_process import OperatorProcess
from support.projects import Project
from support.resources import Resources, a_database

USERS_OWN = ("USER: ", "INFO  [alembic")
SAID = """
import os
url = op.get_bind().engine.url
said = " ".join([url.password, url.render_as_string(False), os.environ["API_TOKEN"]])
print("USER: " + said, flush=True)
"""
ENDS = {
    "an exception": ("raise RuntimeError(said)", "RevisionFailed"),
    "a failing statement": (
        "op.get_bind().execute(sa.text('SELECT CAST(CAST(:a AS text) AS int)'), {{'a': {canary!r}}})",
        "RevisionFailed",
    ),
    "an exit": ("import sys; sys.exit(said)", "RevisionFailed"),
    "a crash": ("os._exit(9)", "RevisionFailed"),
    "a kill": ("os.kill(os.getpid(), 9)", "Unexpected"),
    "success": ("", "Succeeded"),
}


def everything(shop: Resources, control_plane: Cluster, operator: OperatorProcess) -> dict[str, str]:
    """All that somebody can read who may not read Secrets."""
    apis = {
        "resources": shop.migrations,
        "Jobs": shop.batch,
        "pods": f"{shop.core}/pods",
        "events": f"/apis/events.k8s.io/v1/namespaces/{shop.namespace}/events",
        "ConfigMaps": f"{shop.core}/configmaps",
    }
    found = {name: json.dumps(shop.client.get(path), ensure_ascii=False) for name, path in apis.items()}
    described = control_plane.kubectl("describe", "dbmig,jobs,pods,events", "-n", shop.namespace)
    assert described.returncode == 0, described.stderr
    logs = {f"log of {pod}": own_lines(shop.client, shop, pod) for pod in pods(shop)}
    return {**found, **logs, "kubectl describe": described.stdout, "the operator's log": operator.text()}


def pods(shop: Resources) -> list[str]:
    return [pod["metadata"]["name"] for pod in shop.client.get(f"{shop.core}/pods")["items"]]


def own_lines(client: ApiClient, shop: Resources, pod: str) -> str:
    lines = client.text(f"{shop.core}/pods/{pod}/log").splitlines()
    return "\n".join(line for line in lines if not line.startswith(USERS_OWN))


def a_resource(shop: Resources, place: Place, url: str) -> None:
    """With a Secret for the database and one for the application; no password stands in the resource itself."""
    shop.secret("shop-main", uri=url)
    shop.secret("app", API_TOKEN=place.token, NOTE=place.canaries.plant("a Secret of the application"))
    job: dict[str, Any] = {"envFrom": [{"secretRef": {"name": "app"}}]}
    shop.create("shop", [a_database("shop", "main")], job=job, retry={"limit": 1, "backoffSeconds": 1})


@pytest.mark.parametrize(("end", "reason"), ENDS.values(), ids=ENDS)
def test_nothing_of_a_run_is_in_the_cluster(
    operator: OperatorProcess,
    shop: Resources,
    project: Project,
    place: Place,
    control_plane: Cluster,
    end: str,
    reason: str,
) -> None:
    code = SAID + end.format(canary=place.canaries.plant("a parameter"))
    project.revision("a1", code, title=f"rotate {place.password!r} by {place.token}")
    a_resource(shop, place, place.url())
    ready = shop.wait_for_condition("shop", "Ready", "True" if reason == "Succeeded" else "False")
    assert ready["reason"] == reason, ready
    shop.wait_for_event(reason)
    texts = everything(shop, control_plane, operator)
    assert "a1" in texts["resources"]
    assert place.canaries.found_in(texts) == []


@pytest.mark.parametrize("wrong", ["port", "password"])
def test_nothing_of_a_plan_that_fails_is_in_the_cluster(
    operator: OperatorProcess,
    shop: Resources,
    project: Project,
    place: Place,
    control_plane: Cluster,
    wrong: str,
) -> None:
    project.tables("a1")
    value = {"port": 1, "password": place.canaries.plant("a wrong password", odd=True)}[wrong]
    a_resource(shop, place, place.url(**{wrong: value}))
    reason = "DatabaseUnreachable" if wrong == "port" else "AuthenticationFailed"
    shop.wait_for_condition("shop", "Ready", "False", reason)
    shop.wait_for_event(reason)
    assert place.canaries.found_in(everything(shop, control_plane, operator)) == []


def test_what_a_job_is_made_of_names_secrets_and_holds_none(
    operator: OperatorProcess, shop: Resources, project: Project, place: Place
) -> None:
    project.tables("a1")
    a_resource(shop, place, place.url())
    shop.wait_for_condition("shop", "Ready")
    (job,) = shop.jobs()
    container = job["spec"]["template"]["spec"]["containers"][0]
    (url,) = [one for one in container["env"] if one["name"] == "HEADWAY_DATABASE_0_URL"]
    assert url["valueFrom"] == {"secretKeyRef": {"name": "shop-main", "key": "uri"}}
    assert place.canaries.found_in({"the Job": json.dumps(job)}) == []
