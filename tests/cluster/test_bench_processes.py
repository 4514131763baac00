"""The bench itself: nothing that it started outlives it."""

import os
import subprocess
import sys
from pathlib import Path

from support.waiting import wait_until

STARTS_A_SERVER = (
    "import subprocess, time\n"
    "from support.processes import spawn\n"
    "print(spawn(['sleep', '600'], output=subprocess.DEVNULL).pid, flush=True)\n"
    "time.sleep(600)\n"
)


def program_of(pid: int) -> str:
    """What the process runs; empty when it is gone or only waits to be forgotten."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def test_a_server_dies_with_a_killed_test_run() -> None:
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", STARTS_A_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=paths) as run:
        assert run.stdout is not None
        server = int(run.stdout.readline())
        wait_until(lambda: program_of(server) == "sleep 600", what="the server to run")
        run.kill()

    wait_until(lambda: program_of(server) == "", what="the server's end")
