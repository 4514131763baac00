"""The application's own gate, beside a migration that somebody else makes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.command_line import HEADWAY
from support.processes import spawn
from support.projects import from_template
from support.runner import migrate
from support.tree import ROOT
from support.waiting import wait_until

RUNNER = (sys.executable, str(ROOT / "operator" / "headway_runner"))
PROGRAMS = pytest.mark.parametrize("program", [RUNNER, (str(HEADWAY),)], ids=["runner", "headway"])


@PROGRAMS
def test_it_opens_when_the_database_has_what_the_code_needs_and_changes_nothing_itself(
    program, tmp_path, database
):
    project = from_template(tmp_path / "app").tables(*(f"table_{number}" for number in range(40)))
    log = tmp_path / "gate.log"
    with log.open("wb") as output:
        gate = spawn(
            [*program, "gate", "--url-env", "URL", "--every", "0.2"],
            output=output,
            environment={"PATH": os.environ["PATH"], "URL": database.url(), "HOME": str(tmp_path)},
            folder=project.folder,
        )
    try:
        wait_until(
            lambda: "40 revisions to come, the first is table_0" in log.read_text(), what="the first look"
        )
        assert database.tables() == set()
        assert migrate(project, database.url()).exit_code == 0
        assert gate.wait(30) == 0
    finally:
        gate.kill()
        gate.wait()
    assert "gate: open: the database is at table_39" in log.read_text()


@PROGRAMS
def test_a_project_that_cannot_be_used_is_told_at_once(program, tmp_path, database):
    project = from_template(tmp_path / "app").tables("a1")
    done = subprocess.run(
        [*program, "gate", "--url-env", "URL", "--target", "nowhere"],
        env={"PATH": os.environ["PATH"], "URL": database.url()},
        cwd=project.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode not in (0, 1)
    assert "nowhere" in done.stdout
