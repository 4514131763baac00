"""Fixtures: the real `operator` on the real API server, and `shop`, the namespace that it watches.

The image `shop:1` stands for the folder `project`, an Alembic project that a test fills with revisions.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.apiclient import ApiClient
from support.controlplane import Cluster, ControlPlane
from support.operator_process import RULES, RUNNER_IMAGE, OperatorProcess
from support.process_kubelet.images import Image
from support.process_kubelet.kubelet import ProcessKubelet
from support.projects import Project, from_template
from support.resources import IMAGE, Resources

SOURCE = Path(__file__).parents[2] / "operator"
PATH = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}"}


@pytest.fixture(scope="session")
def operator_kubeconfig(control_plane: Cluster) -> Path:
    """Of a user with the operator's permissions; on a given cluster the administrator's."""
    if isinstance(control_plane, ControlPlane):
        return control_plane.kubeconfig_for("headway-operator", RULES)
    return control_plane.kubeconfig


@pytest.fixture
def shop(client: ApiClient, namespace: str) -> Resources:
    """The test's namespace."""
    return Resources(client, namespace)


@pytest.fixture
def stopped_operator(shop: Resources, operator_kubeconfig: Path, tmp_path: Path) -> Iterator[OperatorProcess]:
    """The operator of this namespace, not started yet. Its log is shown when the test fails."""
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "operator.log", shop.namespace)
    yield operator
    operator.stop()
    print(operator.text() if operator.log.exists() else "")


@pytest.fixture
def operator(stopped_operator: OperatorProcess) -> OperatorProcess:
    """The operator of this namespace."""
    return stopped_operator.start()


@pytest.fixture
def project(kubelet: ProcessKubelet, tmp_path: Path) -> Project:
    """What is in the image `shop:1`: an Alembic project without revisions, and Headway's own image beside it."""
    made = from_template(tmp_path / "app")
    kubelet.images[RUNNER_IMAGE] = Image(environment={**PATH, "PYTHONPATH": str(SOURCE)})
    kubelet.images[IMAGE] = Image({"/app": made.folder}, PATH, working_dir="/app")
    return made
