"""The bench itself: who has no Kubernetes binaries is told what to do."""

from pathlib import Path

import pytest

from support import assets
from support.kubernetes.versions import BENCHES, NEWEST, OLDEST, USUAL, VersionUnknown, chosen


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWAY_KUBERNETES", raising=False)
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


def test_a_version_is_chosen_by_its_minor_or_as_an_end_of_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen() == USUAL
    for said, meant in [("oldest", OLDEST), ("newest", NEWEST), *((one.name, one) for one in BENCHES)]:
        monkeypatch.setenv("HEADWAY_KUBERNETES", said)
        assert chosen() == meant


def test_a_version_that_the_bench_does_not_have_is_answered_with_those_that_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADWAY_KUBERNETES", "1.29")

    with pytest.raises(VersionUnknown, match=r"HEADWAY_KUBERNETES is 1\.29.* oldest, newest, 1\.33"):
        assets.find()
    assert assets.main([]) == 1
    assert "has no such Kubernetes" in capsys.readouterr().err


def test_a_chosen_version_is_not_taken_from_a_given_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HEADWAY_KUBERNETES", "oldest")

    with pytest.raises(assets.AssetsMissing, match=f"kubernetes-{OLDEST.tag}"):
        assets.find()


def test_every_version_of_the_table_is_pinned_as_a_whole() -> None:
    for one in BENCHES:
        modules = (one.pins / "go.mod").read_text()
        assert f"k8s.io/kubernetes {one.tag}" in modules
        assert f"k8s.io/api => k8s.io/api v0.{one.minor}.{one.patch}" in modules
        assert f"k8s.io/kubernetes {one.tag} h1:" in (one.pins / "go.sum").read_text()


def test_a_given_folder_without_binaries_is_named_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(assets.AssetsMissing, match=r"no etcd, kube-apiserver.* unset it and start again"):
        assets.obtain()


def test_binaries_that_are_not_built_yet_are_built_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(assets, "find_go", lambda: None)
    monkeypatch.setattr(assets, "install_go", lambda say: None)

    with pytest.raises(assets.AssetsMissing, match=r"Install Go. Or set KUBEBUILDER_ASSETS"):
        assets.obtain()
