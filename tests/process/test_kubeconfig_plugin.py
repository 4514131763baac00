"""A kubeconfig whose user is proven by a program of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from headway_operator.cluster.access import from_kubeconfig


def kubeconfig(user: dict[str, object]) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": user}],
        }
    )


async def test_a_plugin_of_the_kubeconfig_gives_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "plugin"
    answer = (
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t1"}}'
    )
    plugin.write_text(f"#!/bin/sh\necho '{answer}'\n")
    plugin.chmod(0o755)
    subprocess.run([plugin], check=True, capture_output=True)
    use = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    (tmp_path / "config").write_text(kubeconfig({"exec": use}))
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config")
    )
    found = from_kubeconfig()
    assert found.server == "https://127.0.0.1:1"
    assert found.token is not None
    assert await found.token() == "t1"
