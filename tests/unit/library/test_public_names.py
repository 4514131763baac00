"""What ``from headway import …`` offers."""

from __future__ import annotations

import subprocess
import sys

import headway
from support.tree import SOURCE


def test_each_public_name_is_there_and_documented():
    for name in headway.__all__:
        assert getattr(headway, name).__doc__


def test_a_users_strict_mypy_sees_the_types_of_the_public_names(tmp_path):
    code = "from headway import backfill\nreveal_type(backfill('t', {'a': '1'}))\nbackfill('t', {'a': 1})\n"
    (tmp_path / "revision.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "revision.py"]
    environment = {"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert "headway.facts.BackfillFinished | None" in done.stdout
    assert done.stdout.count(": error:") == 1, done.stdout
