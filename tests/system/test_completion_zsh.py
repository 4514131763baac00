"""Completion in zsh, on a terminal into which somebody types."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.shells import Shell, completing

SET_UP = ("autoload -U compinit", "compinit -u -D", "source <(headway completion zsh)")


@pytest.fixture
def zsh(tmp_path: Path) -> Iterator[Shell]:
    with completing(["zsh", "-f", "-i"], tmp_path, *SET_UP) as shell:
        yield shell


def test_a_tab_completes_a_verb(zsh: Shell) -> None:
    zsh.type("headway comple\t")
    zsh.wait_for("headway completion")


def test_the_verbs_are_shown_with_their_meaning(zsh: Shell) -> None:
    zsh.type("headway p\t\t")
    zsh.wait_for("show what would be done to each database")
