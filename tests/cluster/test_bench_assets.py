"""The bench itself: who has no Kubernetes binaries is told what to do."""

from pathlib import Path

import pytest

from support import assets


def test_a_given_folder_without_binaries_is_named_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(assets.AssetsMissing, match=r"no etcd, kube-apiserver.* unset it and start again"):
        assets.obtain()


def test_binaries_that_are_not_built_yet_are_built_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(assets.AssetsMissing, match=r"python -m support\.assets"):
        assets.find()


def test_what_a_node_needs_is_kept_apart_and_built_by_a_command_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.delenv("HEADWAY_NODE_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(assets.AssetsMissing, match=r"python -m support\.assets node"):
        assets.find(assets.NODE)


def test_a_machine_without_go_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(assets, "find_go", lambda: None)
    monkeypatch.setattr(assets, "install_go", lambda say: None)

    with pytest.raises(assets.AssetsMissing, match=r"Install Go, or set KUBEBUILDER_ASSETS"):
        assets.obtain()
