"""The command line itself: answers at once, knows its name, tells its exit codes."""

import sys
from importlib.metadata import version

import pytest

from headway_cli import __main__ as command_line
from headway_cli.demo import example_folder
from headway_cli.problems import BadInput


def shown(capsys, *words):
    with pytest.raises(SystemExit):
        command_line.main(words)
    return "".join(capsys.readouterr())


def test_the_version_is_that_of_the_distribution(capsys):
    assert shown(capsys, "--version") == f"headway {version('headway')}\n"


def test_the_exit_codes_are_told(capsys):
    told = shown(capsys, "--help")
    for code in ("0 ", "1 ", "2 ", "130 ", "141 "):
        assert f"\n  {code}" in told


def test_as_a_plugin_of_kubectl_it_calls_itself_so(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/kubectl-headway"])
    assert shown(capsys, "run", "--help").startswith("usage: kubectl headway run")


def test_without_a_verb_it_says_which_there_are(capsys):
    assert "VERB" in shown(capsys)


def test_the_demo_says_when_the_example_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("headway_cli.demo.__file__", str(tmp_path / "a" / "b" / "demo.py"))
    with pytest.raises(BadInput, match="the example is not part of this installation"):
        example_folder()


def test_a_package_that_is_not_installed_is_named_with_the_extra_that_brings_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "headway_cli.documents", raising=False)
    assert command_line.main(["run", "-f", "shop.yaml"]) == 2
    told = capsys.readouterr().err
    assert (
        "there is no module yaml here\n  Install what this verb needs: pip install 'headway[cli,operator]'"
        in told
    )
