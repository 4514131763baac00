"""The chart on a real API server: every object is accepted, and what it grants is what the operator needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.controlplane import ControlPlane
from support.fix_chart import CHART, NAMESPACE, VALUES, Helm
from support.tree import ROOT
from support.waiting import wait_until

OTHERS = ROOT / "tests" / "support" / "monitoring_definitions.yaml"
"""Of the Prometheus operator's kinds."""
TAKES_OVER = ("--take-ownership", "--force-conflicts")
"""The second for what another tool applied, and applied otherwise."""
RESOURCE = {
    "apiVersion": "headway.dev/v1alpha1",
    "kind": "DatabaseMigration",
    "metadata": {"name": "kept", "namespace": "default"},
    "spec": {"image": "shop:1", "databases": [{"name": "main"}]},
}


def accepted(cluster: ControlPlane, document: dict[str, Any], *arguments: str) -> str:
    done = subprocess.run(
        cluster.kubectl_command(
            "apply", "--server-side", "--dry-run=server", "--validate=strict", *arguments, "-f", "-"
        ),
        input=json.dumps(document), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{document['kind']}: {done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def monitored_cluster(bare_cluster: ControlPlane) -> ControlPlane:
    """With the definitions of the Prometheus operator, as far as the chart uses them."""
    bare_cluster.install_crds([OTHERS])
    return bare_cluster


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_the_api_server_accepts_every_object(
    helm: Helm, monitored_cluster: ControlPlane, values: Path
) -> None:
    text = helm("template", "headway", CHART, "-n", "default", "-f", values)
    documents = [document for document in yaml.safe_load_all(text) if document]
    for document in documents:
        if document["metadata"].get("namespace", "default") != "default":
            document["metadata"]["namespace"] = "default"
        if document["kind"] == "Pod":
            # A pod is refused without its account, which nothing has made here.
            document["spec"]["serviceAccountName"] = "default"
        accepted(monitored_cluster, document)


def test_its_pods_are_fit_for_a_restricted_namespace(helm: Helm, bare_cluster: ControlPlane) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strict", "labels": labels}}
    bare_cluster.kubectl("apply", "-f", "-", input=json.dumps(namespace))
    text = helm("template", "headway", CHART, "-n", "strict")
    for document in yaml.safe_load_all(text):
        if document and document["kind"] in ("Deployment", "Pod"):
            spec = document["spec"].get("template", document)["spec"]
            spec["serviceAccountName"] = "default"
            assert "would violate" not in accepted(bare_cluster, document)


def checked(cluster: ControlPlane, account: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`headway-operator --check` as this service account."""
    token = cluster.kubectl("create", "token", account, "-n", NAMESPACE).stdout.strip()
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    (folder / "kubeconfig").write_text(json.dumps(config))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "HEADWAY_LEASE_NAMESPACE": NAMESPACE,
    }
    return subprocess.run(
        [sys.executable, "-m", "headway_operator", "--check"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_installed_upgraded_and_uninstalled_with_the_resources_kept(
    helm: Helm, bare_cluster: ControlPlane, tmp_path: Path
) -> None:
    kubeconfig = bare_cluster.kubeconfig
    helm("package", CHART, "--version", "0.0.1", "--app-version", "0.0.1", "-d", tmp_path)
    before = tmp_path / "headway-0.0.1.tgz"
    release = ("headway", "-n", NAMESPACE)
    helm("install", *release, before, "--create-namespace", kubeconfig=kubeconfig)
    wait_until(
        lambda: "True" in bare_cluster.kubectl(
            "get", "crd", "databasemigrations.headway.dev",
            "-o", "jsonpath={.status.conditions[?(@.type=='Established')].status}",
        ).stdout,
        what="the definition",
    )  # fmt: skip
    answer = checked(bare_cluster, "headway", tmp_path)
    assert answer.returncode == 0, answer.stderr
    account = f"--as=system:serviceaccount:{NAMESPACE}:headway"
    may = subprocess.run(
        bare_cluster.kubectl_command("auth", "can-i", "get", "secrets", "-A", account),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert may.stdout.strip() == "no"
    wait_until(lambda: _exists(bare_cluster, RESOURCE), what="a resource to be accepted")
    helm("upgrade", *release, CHART, "--set", "replicas=3", kubeconfig=kubeconfig)
    image = bare_cluster.kubectl(
        "get",
        "deployment",
        "headway",
        "-n",
        NAMESPACE,
        "-o",
        "jsonpath={..containers[0].image} {.spec.replicas}",
    ).stdout
    assert image == "ghcr.io/headway-dev/headway:0.1.0 3"
    helm("uninstall", *release, kubeconfig=kubeconfig)
    assert "kept" in bare_cluster.kubectl("get", "dbmig", "-n", "default", "-o", "name").stdout
    assert "headway" not in bare_cluster.kubectl("get", "clusterroles", "-o", "name").stdout


def test_a_definition_that_helm_did_not_bring_is_taken_over_or_left_to_whoever_did(
    helm: Helm, bare_cluster: ControlPlane
) -> None:
    older = yaml.safe_load((CHART / "files" / "databasemigrations.yaml").read_text())
    older["spec"]["names"]["shortNames"] = ["older"]
    bare_cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=json.dumps(older))

    def install(team: str, *options: str) -> None:
        own = ("--create-namespace", "--set", f"watchNamespaces={{{team}}}", *options)
        helm("install", "headway", CHART, "-n", team, *own, kubeconfig=bare_cluster.kubeconfig)

    with pytest.raises(AssertionError, match="invalid ownership metadata"):
        install("shop")
    install("shop", *TAKES_OVER)
    names = bare_cluster.kubectl("get", "crd", older["metadata"]["name"], "-o", "jsonpath={.spec.names}")
    assert json.loads(names.stdout)["shortNames"] == ["dbmig"]
    install("billing", "--set", "crds.enabled=false")
    for team in ("shop", "billing"):
        helm("uninstall", "headway", "-n", team, kubeconfig=bare_cluster.kubeconfig)


def test_without_its_roles_the_check_names_what_is_missing(
    helm: Helm, bare_cluster: ControlPlane, tmp_path: Path
) -> None:
    release = ("bare", "-n", NAMESPACE)
    arguments = ("--create-namespace", "--set", "rbac.create=false,crds.enabled=false")
    helm("install", *release, CHART, *arguments, kubeconfig=bare_cluster.kubeconfig)
    answer = checked(bare_cluster, "bare-headway", tmp_path)
    assert answer.returncode == 2
    assert "may not create jobs.batch in all namespaces" in answer.stderr
    assert f"may not get leases.coordination.k8s.io in namespace {NAMESPACE}" in answer.stderr
    helm("uninstall", *release, kubeconfig=bare_cluster.kubeconfig)


def _exists(cluster: ControlPlane, resource: dict[str, Any]) -> bool:
    done = subprocess.run(
        cluster.kubectl_command("apply", "-f", "-"), input=json.dumps(resource), text=True, check=False
    )
    return done.returncode == 0
