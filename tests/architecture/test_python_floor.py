"""What runs in the users' images needs no newer Python than they have."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.tree import SOURCE

IN_THE_IMAGE = ("headway", "headway_contract", "headway_runner")


def vermin(*paths: object, targets: tuple[str, ...] = ("-t=3.10-",)) -> subprocess.CompletedProcess[str]:
    program = "import sys; from vermin import main; sys.exit(main())"
    options = ["-q", "--no-tips", *targets, "--violations", "--no-parse-comments"]
    command = [sys.executable, "-c", program, *options, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_packages_of_the_image_run_on_python_3_10():
    done = vermin(*(SOURCE / package for package in IN_THE_IMAGE))
    assert done.returncode == 0, done.stdout


def test_what_every_python_of_a_command_reads_runs_on_each_of_them():
    """The environment of a command reaches programs that have nothing to do with Alembic."""
    hook = SOURCE / "headway_runner" / "attach" / "hook" / "sitecustomize.py"
    # What is asked only by an import system that has it.
    asked = ("--exclude", "importlib.machinery.PathFinder.find_spec", "--exclude", "importlib.machinery")
    old = vermin(hook, targets=("-t=2.7-", "-t=3.4-", *asked))
    assert old.returncode == 0, old.stdout


@pytest.mark.parametrize(
    "code",
    ["import tomllib\n", "from enum import StrEnum\n", "try:\n    pass\nexcept* ValueError:\n    pass\n"],
)
def test_newer_python_would_be_found(tmp_path, code):
    breach = tmp_path / "breach.py"
    breach.write_text(code)
    done = vermin(breach)
    assert done.returncode == 1
    assert "breach.py" in done.stdout
