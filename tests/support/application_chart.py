"""Somebody's application as a chart: a ConfigMap that tells which release is there, and a hook of `contrib/helm`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from support.apiclient import ApiError
from support.fix_chart import Helm
from support.resources import Resources

AT_ONCE = "--wait=legacy"
"""Helm 4.1 tells of a hook's Job that has failed when its own --timeout is over, unless it waits as Helm 3 did."""

RELEASE = "app"


@dataclass(frozen=True)
class Application:
    """Its release in one namespace; `folder` is the chart, written anew for each version."""

    helm: Helm
    kubeconfig: Path
    place: Resources
    folder: Path

    def deploy(self, version: str, hook: str, *flags: str) -> None:
        """`helm upgrade --install` of this version; raises AssertionError with what helm says."""
        templates = self.folder / "templates"
        templates.mkdir(parents=True, exist_ok=True)
        chart = {"apiVersion": "v2", "name": RELEASE, "version": version}
        told = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": RELEASE},
            "data": {"version": version},
        }
        (self.folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
        (templates / "application.yaml").write_text(yaml.safe_dump(told))
        (templates / "hook.yaml").write_text(hook)
        self.helm(
            "upgrade", "--install", RELEASE, self.folder, "-n", self.place.namespace, "--timeout", "280s", *flags,
            kubeconfig=self.kubeconfig, patience=300,
        )  # fmt: skip

    def version(self) -> str:
        """Of the application that is there; empty before the first."""
        with suppress(ApiError):
            there = self.place.client.get(f"{self.place.core}/configmaps/{RELEASE}")
            return str(there["data"]["version"])
        return ""
