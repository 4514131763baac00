"""Fixtures: the real `helm`, and a control plane into which nothing was installed yet."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import assets, tools
from support.controlplane import ControlPlane
from support.tree import ROOT

CHART = ROOT / "charts" / "headway"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
NAMESPACE = "headway-system"

Helm = Callable[..., str]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Runs helm with these arguments and returns what it prints; raises AssertionError with its words."""
    program = tools.find(tools.HELM)
    home = tmp_path_factory.mktemp("helm")
    folders = {f"HELM_{name}_HOME": str(home / name) for name in ("CACHE", "CONFIG", "DATA")}

    def run(*arguments: str | Path, kubeconfig: Path | None = None, patience: float = 60) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), **folders}
        if kubeconfig is not None:
            environment["KUBECONFIG"] = str(kubeconfig)
        done = subprocess.run(
            [program, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of its own, without the definition."""
    plane = ControlPlane.start(tmp_path_factory.mktemp("bare"), assets.find())
    yield plane
    plane.stop()
