"""Completion in bash, on a terminal into which somebody types, and as kubectl asks for it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import Headway
from support.shells import BIN, Shell, completing

BASH = ["bash", "--norc", "--noprofile", "-i"]
SET_UP = ("bind 'set enable-bracketed-paste off'", "source <(headway completion bash)")


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Shell]:
    with completing(BASH, tmp_path, *SET_UP) as shell:
        yield shell


def test_a_tab_completes_a_verb(bash: Shell) -> None:
    bash.type("headway comple\t")
    bash.wait_for("headway completion ")


def test_two_tabs_show_what_an_option_may_be(bash: Shell) -> None:
    bash.type("headway plan -o \t\t")
    for choice in ("json", "sql", "text"):
        bash.wait_for(choice)


def test_two_tabs_show_the_paces_and_no_files(bash: Shell, tmp_path: Path) -> None:
    (tmp_path / "Garden.yaml").touch()
    bash.type("headway pace shop \t\t")
    for pace in ("Balanced", "Fast", "Gentle"):
        bash.wait_for(pace)
    bash.type("G\t")
    bash.wait_for("headway pace shop Gentle")


def test_files_are_offered_where_a_file_is_wanted(bash: Shell, tmp_path: Path) -> None:
    (tmp_path / "migration.yaml").touch()
    bash.type("headway plan migr\t")
    bash.wait_for("headway plan migration.yaml")


def test_a_shell_that_is_not_known_is_refused(tmp_path: Path) -> None:
    run = Headway(tmp_path, "completion", "tcsh")
    assert run.wait() == 2
    assert "bash" in run.err


def asked_by_kubectl(*words: str) -> list[str]:
    done = subprocess.run(
        [BIN / "kubectl_complete-headway", *words], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def test_kubectl_is_told_verbs_with_their_meaning_and_that_no_files_are_wanted() -> None:
    *verbs, directive = asked_by_kubectl("")
    assert {"status", "list", "approve"} <= {one.partition("\t")[0] for one in verbs}
    assert all(one.partition("\t")[2] for one in verbs)
    assert directive == ":4"


def test_kubectl_is_told_the_choices_of_an_option() -> None:
    *choices, _ = asked_by_kubectl("list", "-o", "")
    assert [one.partition("\t")[0] for one in choices] == ["text", "wide", "json", "yaml"]


def test_where_nothing_is_known_the_shell_may_offer_files() -> None:
    assert asked_by_kubectl("plan", "-o", "sql", "migr") == [":0"]
