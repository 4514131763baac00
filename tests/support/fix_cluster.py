"""Fixtures on a real API server: `control_plane`, `client` and `kubelet` (one per session), `namespace` (per test).

`HEADWAY_TEST_KUBECONFIG` names a cluster to use in place of an own control plane. It must be one that may be filled
with rubbish, reached as administrator. For tests with pods its API server must run on this machine (it calls the
process kubelet at 127.0.0.1), with the Job controller, but with no other node and no scheduler.
"""

import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support import assets
from support.apiclient import ApiClient, ApiError
from support.controlplane import Cluster, ControlPlane
from support.fix_options import KUBECONFIG_VARIABLE
from support.kubernetes.versions import VersionUnknown
from support.process_kubelet.images import Image
from support.process_kubelet.kubelet import NODES, ProcessKubelet
from support.waiting import wait_until

NODE_PREFIX = "process-kubelet-"
PYTHON_IMAGE = "registry.test/python:1"
CRDS = Path(__file__).parents[2] / "crds"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Cluster]:
    """A cluster with our definitions installed; an own one can also stop and start its API server."""
    crds = sorted(CRDS.glob("*.yaml"))
    if given := os.environ.get(KUBECONFIG_VARIABLE):
        cluster = Cluster(Path(given), Path(shutil.which("kubectl") or _binaries() / "kubectl"))
        cluster.install_crds(crds)
        yield cluster
        cluster.client.close()
        return
    with tempfile.TemporaryDirectory(prefix="headway-cluster-") as folder:
        own = ControlPlane.start(Path(folder), _binaries(), crds)
        try:
            yield own
        finally:
            own.stop()


@pytest.fixture
def own_control_plane(control_plane: Cluster) -> Iterator[ControlPlane]:
    """For tests that take the API server away or make users; after the test the API server is back."""
    if not isinstance(control_plane, ControlPlane):
        pytest.fail(f"this test needs an own control plane: unset {KUBECONFIG_VARIABLE}", pytrace=False)
    yield control_plane
    control_plane.start_api_server()


@pytest.fixture(scope="session")
def kubelet(control_plane: Cluster) -> Iterator[ProcessKubelet]:
    """A node that runs pods as processes. Put images into `kubelet.images`; `PYTHON_IMAGE` is there."""
    nodes = [node["metadata"]["name"] for node in control_plane.client.get(NODES)["items"]]
    if others := [name for name in nodes if not name.startswith(NODE_PREFIX)]:
        pytest.fail(
            f"the cluster has nodes that would take the tests' pods: {', '.join(others)}", pytrace=False
        )
    client = ApiClient.from_kubeconfig(control_plane.kubeconfig)
    kubelet = ProcessKubelet(client, f"{NODE_PREFIX}{os.getpid()}")
    kubelet.images[PYTHON_IMAGE] = Image(environment={"PATH": f"{Path(sys.executable).parent}:{os.defpath}"})
    kubelet.start()
    try:
        yield kubelet
    finally:
        kubelet.stop()
        client.delete(f"{NODES}/{kubelet.name}")
        client.close()


@pytest.fixture
def client(control_plane: Cluster) -> ApiClient:
    """A raw client with all rights."""
    return control_plane.client


@pytest.fixture
def namespace(client: ApiClient, request: pytest.FixtureRequest) -> str:
    """A fresh namespace in which pods can be made. It is left behind: deleting one takes up to a minute."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    name = f"{words}-{os.getpid()}-{next(_numbers)}"
    client.post("/api/v1/namespaces", {"metadata": {"name": name}})

    def has_its_account() -> bool:
        with suppress(ApiError):
            return bool(client.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        return False

    wait_until(has_its_account, what=f"the default ServiceAccount of {name}")
    return name


def _binaries() -> Path:
    try:
        return assets.find()
    except (assets.AssetsMissing, VersionUnknown) as missing:
        pytest.fail(str(missing), pytrace=False)
