"""How long `headway lint` takes over a long history, beside the same command with one revision.

    python benchmarks/lint.py [ROUNDS]

Prints seconds of the wall and of the processor, as a person and a CI see them: each is a process of its own. Ends
with exit code 1 when the long history takes too much of the processor beyond the start; the wall decides nothing, for
it tells what else the machine does.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import runner  # noqa: E402

from support.projects import Project, from_template  # noqa: E402

COMMAND = [sys.executable, "-m", "headway_cli", "lint"]
TARGET_SECONDS = 2.0
"""Of the processor, for the long history beyond what the short one takes."""
FOUND = (0, 1)
"""The exit codes of a lint that could look at everything."""


def one_revision(folder: Path) -> Project:
    """What remains is the start: the interpreter, Alembic, the parser of SQL."""
    return from_template(folder).tables("users")


def seconds(project: Project) -> tuple[float, float]:
    """Of the wall and of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        COMMAND, cwd=project.folder, env=runner.ENVIRONMENT, check=False, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in FOUND, done.stderr
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> int:
    """Measure in turn and print; exit code 1 when the target was missed."""
    with tempfile.TemporaryDirectory() as folder:
        projects = {
            "1 revision": one_revision(Path(folder) / "short"),
            f"{runner.REVISIONS} revisions": runner.project_with_history(Path(folder) / "long"),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in projects}
        for number in range(rounds + 1):
            for name, project in projects.items():
                one = seconds(project)
                # The first compiles the revision files.
                found[name] += [one] if number else []
    print("\nheadway lint")
    processors = []
    for name, several in found.items():
        wall, processor = (statistics.median(column) for column in zip(*several, strict=True))
        processors.append(processor)
        print(f"{name:15} {wall:5.2f} s   processor {processor:5.2f} s")
    start, whole = processors
    is_missed = whole - start >= TARGET_SECONDS
    end = "missed" if is_missed else "reached"
    print(
        f"{'over the start':15}             processor {whole - start:5.2f} s (target: < {TARGET_SECONDS:.0f} s) {end}"
    )
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
