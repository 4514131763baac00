"""The chart as `helm template` renders it, without a cluster."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from headway_operator.cluster.permissions import LEASE, PERMISSIONS
from headway_operator.server.metrics.leadership import Leadership
from headway_operator.server.metrics.loop_lag import LoopLag
from headway_operator.server.metrics.witness import Counting
from headway_operator.server.metrics.work import Requests
from headway_operator.settings import Settings
from support import tools
from support.fix_chart import CHART, NAMESPACE, VALUES, Helm
from support.operator_process import rules_of
from support.tree import ROOT

DEFINITION = ROOT / "crds" / "databasemigrations.yaml"


def rendered(helm: Helm, *arguments: str | Path) -> list[dict[str, Any]]:
    text = helm("template", "headway", CHART, "-n", NAMESPACE, *arguments)
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(documents: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] in kinds]


def container(documents: list[dict[str, Any]]) -> dict[str, Any]:
    (deployment,) = of_kind(documents, "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_helm_finds_nothing_to_object_to(helm: Helm) -> None:
    for values in VALUES:
        assert "0 chart(s) failed" in helm("lint", "--strict", CHART, "-f", values)


def test_a_value_that_there_is_not_is_refused(helm: Helm) -> None:
    with pytest.raises(AssertionError, match="replicaCount"):
        helm("template", "headway", CHART, "--set", "replicaCount=3")


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(value: dict[str, Any], node: dict[str, Any], where: str) -> None:
        known = set(node["properties"]) - {"global"}
        assert set(value) == known, where
        for name, inner in value.items():
            if "properties" in node["properties"][name]:
                compare(inner, node["properties"][name], f"{where}.{name}")

    compare(values, schema, "values")


def test_the_definition_is_that_of_the_sources_and_is_kept(helm: Helm) -> None:
    assert (CHART / "files" / DEFINITION.name).resolve() == DEFINITION
    (found,) = of_kind(rendered(helm), "CustomResourceDefinition")
    assert found["spec"] == yaml.safe_load(DEFINITION.read_text())["spec"]
    assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    (unkept,) = of_kind(rendered(helm, "--set", "crds.keep=false"), "CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in unkept["metadata"].get("annotations", {})


def test_its_rules_are_what_the_operator_needs_and_nothing_else(helm: Helm) -> None:
    documents = rendered(helm, "--set", "rbac.aggregate=false")
    (role,) = of_kind(documents, "ClusterRole")
    assert role["rules"] == list(rules_of(*PERMISSIONS))
    (lease,) = of_kind(documents, "Role")
    assert lease["rules"] == list(rules_of(LEASE))
    assert lease["metadata"]["namespace"] == NAMESPACE


def test_for_some_namespaces_there_is_a_role_in_each_and_none_for_the_cluster(helm: Helm) -> None:
    documents = rendered(helm, "-f", CHART / "ci" / "namespaced-values.yaml")
    assert not of_kind(documents, "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
    roles = {role["metadata"]["namespace"]: role["rules"] for role in of_kind(documents, "Role")}
    assert roles == {
        "shop": list(rules_of(*PERMISSIONS)),
        "billing": list(rules_of(*PERMISSIONS)),
        NAMESPACE: list(rules_of(LEASE)),
    }
    assert {"name": "HEADWAY_NAMESPACES", "value": "shop,billing"} in container(documents)["env"]
    assert not of_kind(documents, "PodDisruptionBudget")


def test_two_teams_may_install_it_by_the_same_name_each_for_its_own_namespace(helm: Helm) -> None:
    def objects(team: str) -> set[tuple[str, str, str]]:
        options = ("-n", team, "--set", f"watchNamespaces={{{team}}},crds.enabled=false")
        documents = yaml.safe_load_all(helm("template", "headway", CHART, *options))
        metadata = ((one["kind"], one["metadata"]) for one in documents if one)
        return {(kind, one.get("namespace", ""), one["name"]) for kind, one in metadata}

    ours, theirs = objects("shop"), objects("billing")
    assert not ours & theirs
    assert {namespace for _, namespace, _ in ours} == {"shop"}


def test_a_version_with_build_metadata_makes_labels_that_kubernetes_takes(helm: Helm, tmp_path: Path) -> None:
    version = f"0.1.0+{'0123456789' * 4}.{'x' * 7}.y"
    helm("package", CHART, "--version", version, "--app-version", version, "-d", tmp_path)
    (packed,) = tmp_path.iterdir()
    documents = yaml.safe_load_all(helm("template", "headway", packed))
    found = [value for one in documents if one for value in one["metadata"]["labels"].values()]
    assert all(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value) for value in found)
    assert f"headway-0.1.0_{'0123456789' * 4}.{'x' * 7}" in found


def test_there_is_a_disruption_budget_where_there_is_a_standby(helm: Helm) -> None:
    (budget,) = of_kind(rendered(helm), "PodDisruptionBudget")
    assert (budget["spec"]["minAvailable"], budget["spec"]["unhealthyPodEvictionPolicy"]) == (
        1,
        "AlwaysAllow",
    )
    assert not of_kind(rendered(helm, "--set", "replicas=1"), "PodDisruptionBudget")


def test_the_user_of_its_pods_is_the_images_or_the_clusters_to_say(helm: Helm) -> None:
    (deployment,) = of_kind(rendered(helm), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert not {"runAsUser", "runAsGroup"} & set(container([deployment])["securityContext"])


def test_metrics_keep_the_namespace_of_the_resource_that_they_are_of(helm: Helm) -> None:
    (monitor,) = of_kind(rendered(helm, "--set", "podMonitor.enabled=true"), "PodMonitor")
    assert [one["honorLabels"] for one in monitor["spec"]["podMetricsEndpoints"]] == [True]


def test_nobody_but_an_admin_may_write_and_nobody_approves_by_a_role_that_is_added_to_others(
    helm: Helm,
) -> None:
    roles = of_kind(rendered(helm), "ClusterRole")
    added = [role for role in roles if any("aggregate-to" in label for label in role["metadata"]["labels"])]
    for role in added:
        verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
        assert "approve" not in verbs
        to_edit = "rbac.authorization.k8s.io/aggregate-to-edit" in role["metadata"]["labels"]
        assert not to_edit or verbs == {"get", "list", "watch"}
    assert len(added) == 2


def test_every_variable_that_is_set_is_a_setting(helm: Helm) -> None:
    known = set(Settings.__dataclass_fields__)
    for values in VALUES:
        environment = container(rendered(helm, "-f", values))["env"]
        set_ = {one["name"] for one in environment if one["name"].startswith("HEADWAY_")}
        assert set_ <= {f"HEADWAY_{name.upper()}" for name in known}


def test_the_log_is_text_unless_json_is_asked_for_and_nothing_else_can_be(helm: Helm) -> None:
    def format_with(*options: str) -> list[str]:
        environment = container(rendered(helm, *options))["env"]
        return [one["value"] for one in environment if one["name"] == "HEADWAY_LOG_FORMAT"]

    assert format_with() == ["text"]
    assert format_with("--set", "logging.format=json") == ["json"]
    with pytest.raises(AssertionError, match="logging"):
        rendered(helm, "--set", "logging.format=yaml")


def test_what_hooks_need_is_mounted_where_the_operator_is_told_to_look(helm: Helm) -> None:
    documents = rendered(helm, "-f", CHART / "ci" / "everything-values.yaml")
    files = [one["value"] for one in container(documents)["env"] if one["name"].endswith("_FILE")]
    (deployment,) = of_kind(documents, "Deployment")
    volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
    mounted = {
        f"{mount['mountPath']}/{item['path']}"
        for mount in container(documents)["volumeMounts"]
        for item in volumes[mount["name"]].get("secret", {}).get("items", [])
    }
    assert set(files) == mounted
    assert len(mounted) == 2


def expressions() -> Iterator[str]:
    for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads((CHART / "files" / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_alerts_and_dashboard_ask_only_for_metrics_that_there_are() -> None:
    collectors = (Leadership(int, int), *Counting().collectors, Requests(), LoopLag())
    families = {family.name: family.type for one in collectors for family in one.collect()}
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    known = {name + end for name, kind in families.items() for end in suffixes.get(kind, ("_info",))}
    asked = {name for one in expressions() for name in re.findall(r"\bheadway_\w+", one)}
    assert asked <= known
    assert len(asked) > 10


def test_each_alert_fires_when_it_should_and_not_before() -> None:
    done = subprocess.run(
        [tools.find(tools.PROMTOOL), "test", "rules", "alerts_test.yaml"],
        cwd=CHART / "files", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    tested = set(re.findall(r"alertname: (\w+)", (CHART / "files" / "alerts_test.yaml").read_text()))
    assert tested == set(re.findall(r"alert: (\w+)", (CHART / "files" / "alerts.yaml").read_text()))
