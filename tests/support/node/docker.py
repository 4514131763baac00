"""Stands in for `docker` where a page's commands are typed: this machine has neither its daemon nor a registry.

    python -m support.node.docker build -t NAME CONTEXT
    python -m support.node.docker push NAME

`build` takes the image that was made from the same sources by the same Dockerfile (:mod:`support.node.imagery`), and
refuses any other context; `push` gives it, under its name, to the containerd of the node. Nothing else is known.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from support.node.commands import run
from support.node.containerd import NAMESPACE
from support.node.imagery import Image, images
from support.node.node import FOLDER
from support.tree import ROOT

NOTES = "HEADWAY_E2E_BUILT"
"""The variable that names the file in which `build` notes names for `push`."""


def build(name: str, context: Path) -> None:
    """Note which image has this name from now on. Raises SystemExit for sources of which none was made."""
    image = _made_of(context.resolve())
    if not image.archive.exists():
        raise SystemExit(
            f"{context} is not what {image.title} was made of: {image.archive.name} is not there"
        )
    notes = Path(os.environ[NOTES])
    known = json.loads(notes.read_text()) if notes.exists() else {}
    notes.write_text(json.dumps({**known, name: image.name}))


def push(name: str) -> None:
    """Let the node have it under this name. Raises KeyError for one that was not built."""
    built = json.loads(Path(os.environ[NOTES]).read_text())[name]
    socket = FOLDER / "containerd" / "containerd.sock"
    run("ctr", "--address", str(socket), "--namespace", NAMESPACE, "images", "tag", "--force", built, name)


def _made_of(context: Path) -> Image:
    if (context / "charts").is_dir():
        return images(context).headway
    if not list(context.glob("headway-*.whl")):
        raise SystemExit(f"{context} has no wheel of headway, which its requirements name")
    return images(context.parents[1]).shop


def stand_in(folder: Path) -> Path:
    """Write the program `docker` into the folder."""
    program = folder / "docker"
    search = f"{ROOT / 'operator'}:{ROOT / 'tests'}"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={search} exec {sys.executable} -m {__spec__.name} "$@"\n')
    program.chmod(0o755)
    return program


def main(words: Sequence[str]) -> int:
    """One command."""
    commands: dict[tuple[str, ...], Callable[[], None]] = {
        ("build", "-t"): lambda: build(words[2], Path(words[3])),
        ("push",): lambda: push(words[1]),
    }
    for beginning, command in commands.items():
        if tuple(words[: len(beginning)]) == beginning and len(words) == 2 * len(beginning):
            command()
            return 0
    raise SystemExit(f"docker {' '.join(words)}: only build -t NAME CONTEXT and push NAME are known")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
