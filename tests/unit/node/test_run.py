"""What `make e2e` makes of its arguments, of a machine that cannot, and of what a run leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from support.node import node, run


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command that was started, on a machine that can, by a run that passes and leaves nothing."""
    words: list[str] = []

    def note(command: Sequence[str]) -> int:
        words.extend(command)
        return 0

    monkeypatch.delenv(run.CLUSTER_VARIABLE, raising=False)
    monkeypatch.setattr(run, "prepare", lambda: "")
    monkeypatch.setattr(run, "_run_to_its_end", note)
    monkeypatch.setattr(node, "take_away_what_is_left", list)
    return words


@pytest.mark.parametrize("options", [[], ["-s"], ["-k", "kubelet"]])
def test_options_alone_choose_all_tests_of_the_node(started: list[str], options: list[str]) -> None:
    assert run.main(options) == 0
    assert started[-1] == str(run.TESTS)


def test_a_test_that_is_named_is_the_only_one(started: list[str]) -> None:
    assert run.main(["tests/node/test_shop.py::test_one", "-s"]) == 0
    assert str(run.TESTS) not in started


def test_a_machine_that_cannot_says_why_and_starts_no_test(
    started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "prepare", lambda: "a node takes root")
    assert run.main([]) == 77
    assert "a node takes root" in capsys.readouterr().err
    assert started == []


def test_what_is_left_behind_is_named_and_fails_the_run(
    started: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node, "take_away_what_is_left", lambda: ["mount /somewhere"])
    assert run.main([]) == 1
    assert "left behind: mount /somewhere" in capsys.readouterr().err
    assert started


def test_a_node_of_another_run_is_not_taken_away(started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def another() -> list[str]:
        raise node.AnotherRuns("it runs")

    monkeypatch.setattr(node, "take_away_what_is_left", another)
    assert run.main([]) == 0
