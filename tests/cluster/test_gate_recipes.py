"""The gate as docs/gate.md and contrib/helm have it: applied as it is written there, and run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from headway_operator.settings import Settings
from support.apiclient import ApiError
from support.application_chart import AT_ONCE, Application
from support.command_line import Headway
from support.controlplane import ControlPlane
from support.fix_chart import Helm
from support.fix_operator import PATH, SOURCE
from support.postgres import Database
from support.process_kubelet.images import Image
from support.process_kubelet.kubelet import ProcessKubelet
from support.projects import Project
from support.resources import Resources
from support.runner import migrate
from support.tree import ROOT
from support.waiting import wait_until

RECIPES = sorted((ROOT / "contrib" / "helm").glob("*.yaml"))
SHOP_IMAGE = "registry.example.com/shop:2026.11.3"


def documents(recipe: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "contrib" / "helm" / recipe).read_text()))


def pod_of_the_page() -> dict[str, Any]:
    """What docs/gate.md shows of a Deployment, as a Pod with the application beside it."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "gate.md").read_text(), re.S)
    pod: dict[str, Any] = yaml.safe_load(shown)["spec"]["template"]
    application = {"name": "shop", "image": SHOP_IMAGE, "command": ["python3", "-c", "print('started')"]}
    pod["spec"] |= {"containers": [application], "restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"}, **pod}


@pytest.fixture
def images(kubelet: ProcessKubelet, project: Project) -> Project:
    """The project is what the application's image has in /app."""
    kubelet.images[Settings().runner_image] = Image(environment={**PATH, "PYTHONPATH": str(SOURCE)})
    kubelet.images[SHOP_IMAGE] = Image({"/app": project.folder}, PATH)
    return project


def log_of(shop: Resources, pod: str, container: str) -> str:
    """Empty while it has not started."""
    with suppress(ApiError):
        return shop.client.text(f"{shop.core}/pods/{pod}/log?container={container}")
    return ""


def wait_for_log(shop: Resources, pod: str, container: str, words: str) -> None:
    wait_until(lambda: words in log_of(shop, pod, container), what=f"{words!r} of {container}")


def wait_for_log_of_job(shop: Resources, job: str, container: str, words: str) -> None:
    """In any of its pods: one of a Job of the same name may be on its way out."""
    path = f"{shop.core}/pods?labelSelector=job-name={job}"

    def told() -> bool:
        names = [pod["metadata"]["name"] for pod in shop.client.get(path)["items"]]
        return any(words in log_of(shop, name, container) for name in names)

    wait_until(told, what=f"{words!r} of {job}")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_api_server_accepts_each_recipe_in_a_restricted_namespace(
    own_control_plane: ControlPlane, shop: Resources, recipe: Path
) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    shop.client.patch(f"/api/v1/namespaces/{shop.namespace}", {"metadata": {"labels": labels}})
    done = subprocess.run(
        own_control_plane.kubectl_command(
            "apply", "-n", shop.namespace, "--server-side", "--dry-run=server", "--validate=strict",
            "-f", str(recipe),
        ),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "would violate" not in done.stderr


def test_the_pod_of_the_page_starts_when_its_database_has_what_it_needs(
    shop: Resources, images: Project, database: Database
) -> None:
    images.tables("users", label="main")
    shop.secret("shop-main-app", uri=database.url())
    shop.client.post(f"{shop.core}/pods", pod_of_the_page())
    wait_for_log(shop, "shop", "gate", "gate: 1 revision to come, the first is users")
    assert log_of(shop, "shop", "shop") == ""
    assert migrate(images, database.url()).exit_code == 0
    wait_for_log(shop, "shop", "gate", "gate: open: the database is at users")
    wait_for_log(shop, "shop", "shop", "started")


@pytest.fixture
def application(helm: Helm, own_control_plane: ControlPlane, shop: Resources, tmp_path: Path) -> Application:
    return Application(helm, own_control_plane.kubeconfig, shop, tmp_path / "chart")


def recipe(name: str) -> str:
    return (ROOT / "contrib" / "helm" / name).read_text()


def test_an_upgrade_by_helm_waits_until_the_database_has_what_the_new_release_needs(
    shop: Resources, images: Project, database: Database, application: Application
) -> None:
    images.tables("users", label="main")
    shop.secret("shop-main-app", uri=database.url())
    assert migrate(images, database.url()).exit_code == 0
    application.deploy("1.0.0", recipe("gate-job.yaml"))
    assert application.version() == "1.0.0"
    images.tables("orders")
    with ThreadPoolExecutor(1) as one:
        upgrading = one.submit(application.deploy, "2.0.0", recipe("gate-job.yaml"))
        wait_for_log_of_job(shop, "shop-gate", "gate", "gate: 1 revision to come, the first is orders")
        assert application.version() == "1.0.0"
        assert migrate(images, database.url()).exit_code == 0
        upgrading.result()
    assert application.version() == "2.0.0"
    assert shop.client.get(shop.batch)["items"] == []


def test_an_upgrade_whose_revisions_do_not_come_fails_and_the_old_application_stays(
    shop: Resources, images: Project, database: Database, application: Application
) -> None:
    images.tables("users", label="main")
    shop.secret("shop-main-app", uri=database.url())
    impatient = recipe("gate-job.yaml").replace('"240"', '"1"')
    assert migrate(images, database.url()).exit_code == 0
    application.deploy("1.0.0", impatient)
    images.tables("orders")
    with pytest.raises(AssertionError, match="pre-upgrade hooks failed: job shop-gate failed"):
        application.deploy("2.0.0", impatient, AT_ONCE)
    assert application.version() == "1.0.0"
    wait_for_log_of_job(shop, "shop-gate", "gate", "gate: 1 revision to come, the first is orders")
    assert migrate(images, database.url()).exit_code == 0
    application.deploy("2.0.0", impatient)
    assert application.version() == "2.0.0"


@pytest.fixture
def account_of_the_wait(
    kubelet: ProcessKubelet, own_control_plane: ControlPlane, shop: Resources, images: Project, tmp_path: Path
) -> None:
    """A process has no path of a container: what a kubelet mounts of the account comes to it by a kubeconfig."""
    config = yaml.safe_load(own_control_plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "TOKEN"}
    config["contexts"][0]["context"]["namespace"] = shop.namespace
    (tmp_path / "template").write_text(json.dumps(config))
    command = own_control_plane.kubectl_command("create", "token", "shop-wait", "-n", shop.namespace)
    programs = tmp_path / "bin"
    programs.mkdir()
    headway = programs / "headway"
    headway.write_text(
        f'#!/bin/sh\nsed "s/TOKEN/$({shlex.join(command)})/" {tmp_path}/template > {tmp_path}/kubeconfig\n'
        f'KUBECONFIG={tmp_path}/kubeconfig exec {Path(sys.executable).parent}/headway "$@"\n'
    )
    headway.chmod(0o700)
    kubelet.images[Settings().runner_image] = Image(environment={"PATH": f"{programs}:{PATH['PATH']}"})


@pytest.mark.usefixtures("operator", "account_of_the_wait")
def test_an_upgrade_by_helm_fails_with_the_run_and_comes_when_that_is_mended(
    shop: Resources, images: Project, database: Database, application: Application
) -> None:
    images.tables("users")
    shop.create("shop", {"main": database.url()}, retry={"limit": 0})
    application.deploy("1.0.0", recipe("wait-job.yaml"))
    assert application.version() == "1.0.0"
    images.revision("orders", "op.execute('SELECT nowhere')")
    shop.change("shop", revision="2")
    with pytest.raises(AssertionError, match="pre-upgrade hooks failed: job shop-wait failed"):
        application.deploy("2.0.0", recipe("wait-job.yaml"), AT_ONCE)
    assert application.version() == "1.0.0"
    wait_for_log_of_job(shop, "shop-wait", "wait", 'column "nowhere" does not exist')
    images.tables("orders", after="users")
    shop.change("shop", revision="3")
    application.deploy("2.0.0", recipe("wait-job.yaml"))
    assert application.version() == "2.0.0"
    assert database.tables() == {"alembic_version", "users", "orders"}


def test_the_account_of_the_wait_may_read_what_it_waits_for_and_nothing_else(
    own_control_plane: ControlPlane, shop: Resources, tmp_path: Path
) -> None:
    for one in documents("wait-job.yaml"):
        if one["kind"] != "Job":
            own_control_plane.kubectl("apply", "-n", shop.namespace, "-f", "-", input=json.dumps(one))
    token = own_control_plane.kubectl("create", "token", "shop-wait", "-n", shop.namespace).stdout.strip()
    config = yaml.safe_load(own_control_plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    job = next(one for one in documents("wait-job.yaml") if one["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]

    def run(words: list[str]) -> tuple[int, str]:
        environment = {"KUBECONFIG": str(tmp_path / "kubeconfig")}
        started = Headway(tmp_path, *words, "--timeout", "1", "-n", shop.namespace, environment=environment)
        return started.wait(), started.err

    shop.create("shop", {"main": "postgresql://nowhere"})
    shop.create("other", {"main": "postgresql://nowhere"})
    code, said = run(container["command"][1:])
    assert (code, said) == (2, "shop: no operator has seen this generation yet\nshop: gave up after 1 s\n")
    code, said = run(["wait", "other"])
    assert code == 2
    assert "forbidden" in said.lower()
