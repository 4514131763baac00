"""The resource under kubectl: both ways of applying, defaults, status and columns."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from support.apiclient import ApiClient
from support.controlplane import Cluster
from support.crd import CRD_FILE, EXAMPLES, Schema, example, minimal

WAYS = pytest.mark.parametrize("way", [(), ("--server-side",)], ids=["client-side", "server-side"])
COLUMNS = ["NAME", "READY", "PHASE", "PROGRESS", "REVISION", "AGE", "DATABASES", "JOB", "MESSAGE"]


def path(namespace: str, name: str = "") -> str:
    return f"/apis/headway.dev/v1alpha1/namespaces/{namespace}/databasemigrations/{name}".rstrip("/")


def kubectl(cluster: Cluster, *arguments: str, text: str | None = None) -> str:
    done = cluster.kubectl(*arguments, input=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_version(resource: Schema) -> Schema:
    metadata = {name: value for name, value in resource["metadata"].items() if name != "resourceVersion"}
    return {**resource, "metadata": metadata}


def apply(cluster: Cluster, namespace: str, file: str, way: Sequence[str] = ()) -> str:
    return kubectl(cluster, "apply", "-n", namespace, *way, "-f", str(EXAMPLES / file))


def report(client: ApiClient, namespace: str, name: str, status: Schema) -> Schema:
    """Writes a status as the operator does."""
    body = {**minimal(name), "status": status}
    del body["spec"]
    written: Schema = client.apply(f"{path(namespace, name)}/status", body, manager="headway")
    return written


@pytest.mark.parametrize("file", ["minimal.yaml", "full.yaml"])
def test_client_side_applying_twice_changes_nothing(
    control_plane: Cluster, client: ApiClient, namespace: str, file: str
) -> None:
    apply(control_plane, namespace, file)
    name = example(file)["metadata"]["name"]
    first = client.get(path(namespace, name))
    assert "unchanged" in apply(control_plane, namespace, file)
    assert client.get(path(namespace, name)) == first


@pytest.mark.parametrize("file", ["minimal.yaml", "full.yaml"])
def test_server_side_applying_again_changes_nothing(
    control_plane: Cluster, client: ApiClient, namespace: str, file: str
) -> None:
    """The server creates without a status and stores its default with the next write of any kind, so the
    resourceVersion moves once more while nobody has reported a status yet, and nothing else changes."""
    apply(control_plane, namespace, file, ["--server-side"])
    name = example(file)["metadata"]["name"]
    first = client.get(path(namespace, name))
    apply(control_plane, namespace, file, ["--server-side"])
    second = client.get(path(namespace, name))
    apply(control_plane, namespace, file, ["--server-side"])
    assert client.get(path(namespace, name)) == second
    assert without_version(second) == without_version(first)


@WAYS
def test_defaults_left_out_and_written_out_are_the_same(
    control_plane: Cluster, client: ApiClient, namespace: str, way: Sequence[str]
) -> None:
    apply(control_plane, namespace, "minimal.yaml", way)
    short = client.get(path(namespace, "minimal"))
    apply(control_plane, namespace, "defaults_written_out.yaml", way)
    written_out = client.get(path(namespace, "minimal"))
    assert short["spec"] == written_out["spec"] == example("defaults_written_out.yaml")["spec"]
    assert short["metadata"]["generation"] == written_out["metadata"]["generation"] == 1


def test_a_cluster_sees_no_difference_to_the_manifest(control_plane: Cluster, namespace: str) -> None:
    apply(control_plane, namespace, "full.yaml")
    assert kubectl(control_plane, "diff", "-n", namespace, "-f", str(EXAMPLES / "full.yaml")) == ""


@WAYS
def test_a_resource_is_born_unseen(
    control_plane: Cluster, client: ApiClient, namespace: str, way: Sequence[str]
) -> None:
    apply(control_plane, namespace, "minimal.yaml", way)
    assert client.get(path(namespace, "minimal"))["status"] == {"observedGeneration": -1}


def test_a_status_emptied_by_hand_reads_as_unseen(client: ApiClient, namespace: str) -> None:
    client.post(path(namespace), minimal())
    report(client, namespace, "shop", {"observedGeneration": 1, "phase": "Succeeded"})
    emptied = client.patch(
        f"{path(namespace, 'shop')}/status", {"status": {"observedGeneration": None, "phase": None}}
    )
    assert emptied["status"] == {"observedGeneration": -1}


def test_a_whole_status_is_kept(client: ApiClient, namespace: str) -> None:
    status = example("full_status.yaml")
    client.post(path(namespace), minimal())
    assert report(client, namespace, "shop", copy.deepcopy(status))["status"] == status


def test_a_status_written_twice_does_not_disturb_watchers(client: ApiClient, namespace: str) -> None:
    client.post(path(namespace), minimal())
    first = report(client, namespace, "shop", example("full_status.yaml"))
    second = report(client, namespace, "shop", example("full_status.yaml"))
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@WAYS
def test_applying_the_manifest_again_leaves_the_status_alone(
    control_plane: Cluster, client: ApiClient, namespace: str, way: Sequence[str]
) -> None:
    apply(control_plane, namespace, "minimal.yaml", way)
    reported = report(client, namespace, "minimal", example("full_status.yaml"))
    apply(control_plane, namespace, "minimal.yaml", way)
    now = client.get(path(namespace, "minimal"))
    assert now["status"] == example("full_status.yaml")
    assert now["metadata"]["resourceVersion"] == reported["metadata"]["resourceVersion"]


def test_a_report_never_raises_the_generation(client: ApiClient, namespace: str) -> None:
    client.post(path(namespace), minimal())
    assert report(client, namespace, "shop", {"observedGeneration": 1})["metadata"]["generation"] == 1
    released = client.patch(path(namespace, "shop"), {"spec": {"revision": "2"}})
    assert released["metadata"]["generation"] == 2


def test_an_annotation_raises_no_generation(client: ApiClient, namespace: str) -> None:
    client.post(path(namespace), minimal())
    asked = client.patch(path(namespace, "shop"), {"metadata": {"annotations": {"headway.dev/retry": "1"}}})
    assert asked["metadata"]["generation"] == 1


def test_two_appliers_may_own_one_database_each(client: ApiClient, namespace: str) -> None:
    client.apply(path(namespace, "shop"), minimal(), manager="platform")
    other: dict[str, Any] = {**minimal(), "spec": {"databases": [{"name": "audit"}]}}
    merged = client.apply(path(namespace, "shop"), other, manager="team")
    assert [entry["name"] for entry in merged["spec"]["databases"]] == ["main", "audit"]


def test_the_columns_tell_how_it_stands(control_plane: Cluster, client: ApiClient, namespace: str) -> None:
    client.post(path(namespace), minimal(revision="2026.11.3"))
    report(client, namespace, "shop", example("full_status.yaml"))
    header, row = kubectl(control_plane, "get", "dbmig", "-n", namespace, "-o", "wide").splitlines()
    assert header.split() == COLUMNS
    for cell in (
        "shop ",
        "Unknown ",
        "Backfilling ",
        "1/3 · 42% ",
        "2026.11.3 ",
        "1/3 ",
        "shop-main-3f9c2e-1 ",
    ):
        assert cell in row
    assert row.rstrip().endswith("main: backfilling users.status, 4.2M of 10M rows, about 1m35s left")
    narrow = kubectl(control_plane, "get", "migrations", "-n", namespace).splitlines()
    assert narrow[0].split() == COLUMNS[:6]


def test_it_is_not_among_all(control_plane: Cluster, client: ApiClient, namespace: str) -> None:
    """`kubectl delete all --all` must not hit a migration."""
    client.post(path(namespace), minimal())
    listed = kubectl(control_plane, "get", "all", "-n", namespace, "-o", "name")
    assert "databasemigration" not in listed


def test_the_definition_itself_can_be_applied_both_ways(control_plane: Cluster) -> None:
    definition = str(CRD_FILE)
    kubectl(control_plane, "apply", "-f", definition)
    assert "unchanged" in kubectl(control_plane, "apply", "-f", definition)
    kubectl(control_plane, "apply", "--server-side", "--force-conflicts", "-f", definition)


def test_kubectl_explains_every_part(control_plane: Cluster) -> None:
    explained = kubectl(control_plane, "explain", "dbmig.spec.databases.urlFrom")
    assert "Takes the whole SQLAlchemy URL from a Secret of this namespace." in " ".join(explained.split())


def test_a_typing_error_is_refused_by_kubectl(control_plane: Cluster, namespace: str) -> None:
    resource = minimal(statementTimeoutSecond=5)
    refused = control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=yaml.safe_dump(resource))
    assert refused.returncode == 1
    assert 'unknown field "spec.statementTimeoutSecond"' in refused.stderr
