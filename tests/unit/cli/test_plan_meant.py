"""What the word of `headway plan` means where it may be a folder here or a resource in a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway_cli import __main__ as command_line
from headway_cli.plans.meant import Meant, Word, meant


@pytest.mark.parametrize("text", ["-", ".", "..", "./shop", "shop/", "shop.yaml", "shop.yml"])
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("says_where", ["", "-n"])
def test_what_can_only_be_a_file_is_one_whatever_else_is_said(
    text: str, exists: bool, says_where: str
) -> None:
    assert meant(Word(text, exists), says_where) == Meant(is_file=True)


@pytest.mark.parametrize("says_where", ["", "-n"])
def test_a_name_of_which_there_is_no_file_is_a_resource(says_where: str) -> None:
    assert meant(Word("shop", exists=False), says_where) == Meant(is_file=False)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`headway plan …` in a folder that has a folder `shop`, and no way to a cluster."""
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))

    def start(*words: str) -> str:
        assert command_line.main(["plan", *words]) == 2
        return capsys.readouterr().err

    return start


@pytest.mark.parametrize("where", [("-n", "shops"), ("--context", "staging"), ("--kubeconfig", "none")])
def test_what_says_where_a_resource_is_makes_the_word_its_name(plan, where: tuple[str, str]) -> None:
    told = plan("shop", *where)
    assert f"note: shop is taken as the name of a resource, because of {where[0]}; write ./shop" in told
    assert "no kubeconfig that can be used" in told


def test_as_a_plugin_of_kubectl_the_word_is_a_name(plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl-headway"])
    assert "because of kubectl" in plan("shop")


def test_a_folder_that_may_be_meant_as_a_name_is_taken_and_that_is_told(plan) -> None:
    told = plan("shop")
    assert "note: shop is taken as the file or folder here; name the namespace with -n" in told
    assert "kubeconfig" not in told


def test_several_words_are_files(plan) -> None:
    assert "there is no file audit" in plan("shop", "audit")
