"""`kubectl headway …` as kubectl itself starts it: its options, and what it completes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from support.apiclient import ApiClient
from support.command_line import resource
from support.controlplane import ControlPlane
from support.shells import BIN

READER = [{"apiGroups": ["headway.dev"], "resources": ["databasemigrations"], "verbs": ["get", "list"]}]
OTHER = "elsewhere"


class Kubectl:
    """With our programs on its PATH, and a kubeconfig whose current context leads nowhere."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._kubectl = plane.kubectl_command()[0]
        config = yaml.safe_load(plane.kubeconfig_for("plugin-reader", READER).read_text())
        real = config["contexts"][0]
        self.context = real["name"]
        config["clusters"].append({"name": OTHER, "cluster": {"server": "https://127.0.0.1:9"}})
        config["contexts"].append({"name": OTHER, "context": {**real["context"], "cluster": OTHER}})
        config["current-context"] = OTHER
        self._config = folder / "kubeconfig"
        self._config.write_text(yaml.safe_dump(config))

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "KUBECONFIG": str(self._config)}
        return subprocess.run(
            [self._kubectl, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def kubectl(own_control_plane: ControlPlane, tmp_path: Path) -> Kubectl:
    return Kubectl(own_control_plane, tmp_path)


@pytest.fixture
def shop(client: ApiClient, namespace: str) -> str:
    path = f"/apis/headway.dev/v1alpha1/namespaces/{namespace}/databasemigrations"
    client.post(path, yaml.safe_load(resource({"main": {}}, revision="2026.11.3")))
    return namespace


@pytest.mark.parametrize("verb", ["list", "status"])
def test_one_namespace_or_all_of_another_context_are_shown(kubectl: Kubectl, shop: str, verb: str) -> None:
    of_one = kubectl("headway", verb, "-n", shop, "--context", kubectl.context)
    assert of_one.stdout.splitlines()[0].split()[0] == "NAME", of_one.stderr
    assert of_one.stdout.splitlines()[1].split()[0] == "shop"
    of_all = kubectl("headway", verb, "-A", "-o", "wide", "--context", kubectl.context)
    head, *lines = [line.split() for line in of_all.stdout.splitlines()]
    assert (head[0], head[-1]) == ("NAMESPACE", "MESSAGE")
    assert [shop, "shop"] in [line[:2] for line in lines]


@pytest.mark.parametrize("verb", ["list", "status"])
def test_programs_get_the_resources_themselves(kubectl: Kubectl, shop: str, verb: str) -> None:
    where = ("-n", shop, "--context", kubectl.context)
    found = json.loads(kubectl("headway", verb, "-o", "json", *where).stdout)["items"]
    assert [one["metadata"]["name"] for one in found] == ["shop"]
    assert yaml.safe_load(kubectl("headway", verb, "-o", "yaml", *where).stdout)["items"] == found


def test_one_resource_is_shown_in_each_form(kubectl: Kubectl, shop: str) -> None:
    where = ("-n", shop, "--context", kubectl.context)
    assert kubectl("headway", "status", "shop", *where).stdout.startswith(f"{shop}/shop  2026.11.3")
    assert kubectl("headway", "status", "shop", "-o", "wide", *where).stdout.startswith(f"{shop}/shop")
    assert (
        json.loads(kubectl("headway", "status", "shop", "-o", "json", *where).stdout)["kind"]
        == "DatabaseMigration"
    )


def test_what_is_asked_of_one_resource_is_refused_for_all_and_the_other_way(kubectl: Kubectl) -> None:
    watched = kubectl("headway", "status", "--watch")
    assert (watched.returncode, "headway status NAME --watch" in watched.stderr) == (2, True)
    of_all = kubectl("headway", "status", "shop", "-A")
    assert (of_all.returncode, "shop is in one namespace" in of_all.stderr) == (2, True)


def test_kubectl_completes_names_from_the_cluster_that_the_line_names(kubectl: Kubectl, shop: str) -> None:
    where = ("-n", shop, "--context", kubectl.context)
    asked = kubectl("__complete", "headway", "status", *where, "sh")
    assert asked.stdout.splitlines() == ["shop", ":4"], asked.stderr
    assert kubectl("__complete", "headway", "pau").stdout.startswith("pause\tstart nothing")


def test_a_cluster_that_does_not_answer_offers_nothing(kubectl: Kubectl) -> None:
    asked = kubectl("__complete", "headway", "status", "-n", "default", "sh")
    assert asked.stdout.splitlines() == [":0"], asked.stderr
