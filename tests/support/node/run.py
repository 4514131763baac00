"""`make e2e`: sees what there is, builds what is missing, and runs `tests/node` on a real node.

PYTHONPATH=operator:tests python -m support.node.run [arguments of pytest]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from support import assets, tools
from support.cache import say
from support.node import imagery, node, requirements
from support.node.commands import CommandFailed
from support.node.place import CLUSTER_VARIABLE, missing_of_a_given_cluster
from support.tree import ROOT

TESTS = ROOT / "tests" / "node"
CANNOT = 77
"""Exit code when no test was started; none of pytest's, and the usual one for "not run"."""


def prepare() -> str:
    """Makes everything that the tests need; one line that says why it cannot be had, empty when it is there."""
    if os.environ.get(CLUSTER_VARIABLE):
        return missing_of_a_given_cluster() or _built(with_node=False)
    return requirements.why_not() or _built(with_node=True)


def _built(*, with_node: bool) -> str:
    try:
        tools.obtain(tools.HELM)
        if with_node:
            assets.obtain(assets.OF_THE_NODE)
            assets.obtain(assets.NODE)
            imagery.obtain()
    except (tools.ToolMissing, assets.AssetsMissing, CommandFailed, LookupError) as missing:
        return str(missing)
    return ""


def main(arguments: Sequence[str]) -> int:
    """The exit code of pytest, or 77 with the reason when it was not started."""
    if reason := prepare():
        print(f"make e2e cannot run here: {reason}", file=sys.stderr)
        return CANNOT
    marks: tuple[str, ...] = ()
    if os.environ.get(CLUSTER_VARIABLE):
        say("left out in a given cluster: what is done to the node itself, and what is looked up in an image")
        marks = ("-m", "not own_node")
    chosen = [] if any(_is_a_path(word) for word in arguments) else [str(TESTS)]
    code = _run_to_its_end([sys.executable, "-m", "pytest", *marks, *arguments, *chosen])
    return code if os.environ.get(CLUSTER_VARIABLE) else _nothing_is_left_behind() or code


def _is_a_path(word: str) -> bool:
    return (ROOT / word.partition("::")[0]).exists()


def _run_to_its_end(command: Sequence[str]) -> int:
    """The tests take the node away themselves; whoever asks this process to end waits until they have."""
    with subprocess.Popen(command, cwd=ROOT) as tests:
        # A key of the terminal reaches them by itself.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: tests.terminate())
    return tests.returncode


def _nothing_is_left_behind() -> int:
    try:
        left = node.take_away_what_is_left()
    except node.AnotherRuns:
        # It is why this run has failed, and is not this run's to take away.
        return 0
    for one in left:
        print(f"left behind: {one}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
