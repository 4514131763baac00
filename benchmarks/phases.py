"""Where the runner's time goes, phase by phase, and what it holds in memory beside plain Alembic.

The phases are cut by the events as they arrive. Memory is the peak of the summed proportional set sizes (Pss of
/proc/PID/smaps_rollup) of a process and its descendants: a page that parent and child share after the fork counts
once, as the kernel's memory accounting of a container counts it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from headway_contract.events import Event, LockAcquired, Planned, RevisionApplied, RunStarted, Verified
from headway_contract.wire import from_line

SAMPLE_SECONDS = 0.004
MEGABYTE = 1024 * 1024

FORK = """
import statistics, sys, time
sys.path.insert(0, sys.argv[1])
import gc, os
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_runner.modes import migrate
from headway_runner.modes.plan import first_task
from headway_runner.processes.streams import EventStream
from headway_runner.processes.supervisor import Supervisor
gc.freeze()
request = RunRequest(Mode.MIGRATE, "bench", (DatabaseRequest("main"),))
supervisor, task = Supervisor(request, EventStream(os.dup(1))), first_task(request, request.databases[0])
seconds = []
for _ in range(50):
    start = time.perf_counter()
    supervisor.run(lambda link, task: None, task)
    seconds.append(time.perf_counter() - start)
print(statistics.median(seconds))
"""


def timeline(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Seconds by phase of one run; the phases add up to the whole."""
    start = time.perf_counter()
    moments: list[tuple[str, float]] = []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            now = time.perf_counter()
            envelope = from_line(line.rstrip("\n"))
            if envelope and (phase := _phase_that_ends_with(envelope.event)):
                moments.append((phase, now))
    moments.append(("end", time.perf_counter()))
    assert process.returncode == 0, f"the run failed with exit code {process.returncode}"
    seconds: dict[str, float] = {}
    for phase, moment in moments:
        seconds[phase] = seconds.get(phase, 0.0) + moment - start
        start = moment
    return seconds


def _phase_that_ends_with(event: Event) -> str:
    ends = {
        RunStarted: "start and import",
        Planned: "plan",
        LockAcquired: "lock",
        RevisionApplied: "revisions",
        Verified: "verify",
    }
    if isinstance(event, Planned) and event.under_lock:
        return "plan under the lock"
    return ends.get(type(event), "")


def seconds_of_a_fork(source: Path) -> float:
    """Median of fifty empty phases: fork, answer, end."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(source)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def peak_megabytes(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Of the process and its descendants together."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_pss, tree(process.pid))))
        threading.Event().wait(SAMPLE_SECONDS)
    assert process.returncode == 0, f"the run failed with exit code {process.returncode}"
    return peak / MEGABYTE


def tree(process: int) -> list[int]:
    """A process and its descendants."""
    found = [process]
    for one in found:
        # One that has just ended has none.
        with suppress(FileNotFoundError):
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, _text(children).split())
    return found


def _pss(process: int) -> int:
    for line in _text(Path(f"/proc/{process}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    """Empty when the process has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
