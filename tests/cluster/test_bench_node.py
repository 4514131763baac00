"""`make e2e` where it cannot run: one line says why, and no test is started."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from support.node import requirements
from support.node import run as node
from support.node.place import CLUSTER_VARIABLE, GIVEN


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What it says when it must not start anything; fails when it starts the tests or ends with another code."""

    def started(*words: object, **options: object) -> None:
        raise AssertionError(f"started {words}")

    def run() -> str:
        monkeypatch.setattr(node.subprocess, "run", started)
        assert node.main([]) == node.CANNOT
        return capsys.readouterr().err.strip()

    return run


def test_who_is_not_root_is_told_so_in_one_line(
    said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CLUSTER_VARIABLE, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert said() == "make e2e cannot run here: a node takes root: sudo make e2e"


def test_packages_that_cannot_be_installed_are_named(
    said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CLUSTER_VARIABLE, raising=False)
    monkeypatch.setattr(requirements, "MACHINE", ())
    monkeypatch.setattr(requirements, "install", lambda packages: None)
    monkeypatch.setattr(requirements, "PACKAGES", {"no-such-program": "no-such-package"})
    assert said() == "make e2e cannot run here: packages that could not be installed: no-such-package"


def test_a_given_cluster_needs_images_and_a_database_which_are_named(
    said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLUSTER_VARIABLE, "/no/such/kubeconfig")
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)
    line = said()
    assert "\n" not in line
    assert all(name in line for name in GIVEN)
