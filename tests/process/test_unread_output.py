"""A command whose output nobody reads any more: as `headway … | true` in a shell."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from headway_cli import __main__ as command_line
from support.command_line import HEADWAY, resource
from support.projects import from_template

UNREAD = {
    "lint": ("lint",),
    "rules": ("lint", "--rules"),
    "plan": ("plan", "shop.yaml", "--offline"),
    "run with a live table": ("run", "shop.yaml", "--url=main=sqlite:///shop.db", "--output=live"),
    "plan as JSON": ("plan", "shop.yaml", "--offline", "-o", "json"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from_template(tmp_path).tables("users")
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    return tmp_path


def without_reader(folder: Path, *words: str, loud: bool = False) -> subprocess.CompletedProcess[str]:
    """The command, started into a pipe whose other end is closed; with ``loud`` stderr as well."""
    reading, writing = os.pipe()
    os.close(reading)
    stderr = writing if loud else subprocess.PIPE
    try:
        return subprocess.run(
            [HEADWAY, *words],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=writing,
            stderr=stderr,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize("words", UNREAD.values(), ids=UNREAD.keys())
def test_a_command_that_nobody_reads_ends_silently_as_sigpipe_would_end_it(
    folder: Path, words: tuple[str, ...]
) -> None:
    ended = without_reader(folder, *words)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("output", ["plain", "json"])
def test_a_run_that_nobody_reads_stops_before_it_changes_anything_and_leaves_nothing_behind(
    folder: Path, output: str
) -> None:
    database = folder / "shop.db"
    ended = without_reader(
        folder, "run", "shop.yaml", f"--url=main=sqlite:///{database}", f"--output={output}"
    )
    assert (ended.returncode, ended.stderr) == (141, "")
    with closing(sqlite3.connect(database)) as session:
        assert session.execute("SELECT name FROM sqlite_master").fetchall() == []
    assert list(folder.glob("headway-run-*")) == []


def test_an_error_that_nobody_reads_ends_in_the_same_way(folder: Path) -> None:
    assert without_reader(folder, "plan", "none.yaml", loud=True).returncode == 141


def test_a_pipe_that_breaks_elsewhere_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise BrokenPipeError("of something else")

    monkeypatch.setattr(command_line.lint, "start", broken)
    command_line.parser_of.cache_clear()
    try:
        with pytest.raises(BrokenPipeError, match="of something else"):
            command_line.main(["lint"])
    finally:
        command_line.parser_of.cache_clear()
