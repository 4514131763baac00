"""Completion in fish, which says itself what it would offer."""

import os
import subprocess
from pathlib import Path

from support.shells import BIN


def offered(folder: Path, line: str) -> dict[str, str]:
    done = subprocess.run(
        ["fish", "--no-config", "-c", "headway completion fish | source; complete -C $argv[1]", line],
        env={"HOME": str(folder), "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {one: meaning for one, _, meaning in (each.partition("\t") for each in done.stdout.splitlines())}


def test_the_verbs_are_offered_with_their_meaning(tmp_path: Path) -> None:
    verbs = offered(tmp_path, "headway p")
    assert set(verbs) == {"plan", "pause", "pace"}
    assert verbs["plan"].startswith("show what would be done to each database")


def test_the_choices_of_an_option_are_offered(tmp_path: Path) -> None:
    assert set(offered(tmp_path, "headway list -o ")) == {"text", "wide", "json", "yaml"}
