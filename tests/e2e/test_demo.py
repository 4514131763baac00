"""`headway demo` from its beginning to its end, with a smaller shop."""

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

from support.command_line import Headway
from support.waiting import wait_until


def folders_of_servers(folder):
    return set(folder.glob("headway-postgres-*"))


def test_the_demo_takes_three_databases_to_head_and_says_how_to_go_on_with_a_cluster(
    tmp_path, public_tmp_path
):
    demo = Headway(tmp_path, "demo", "--users", "5000", environment={"TMPDIR": str(public_tmp_path)})
    assert demo.wait() == 0, demo.out + demo.err
    assert "plan: 13 revisions to apply in 3 databases" in demo.out
    assert re.search(r"main: backfilling users\.status: [\d.k]+/5k rows \(\d+%\)", demo.out)
    assert re.search(r"main: backfilling users\.full_name: [\d.k]+/5k rows \(\d+%\)", demo.out)
    assert demo.out.count("main: backfilled users: 5,000 rows in") == 2
    assert "3 databases at the target, 13 revisions applied" in demo.out
    last = "Status and full name of 5,000 users filled in batches, 0 missed; 2,143 payments made."
    assert last in demo.out, "one payment for each of the 2,500 orders but the 357 that were cancelled"
    assert "kubectl apply -f" in demo.out
    assert "postgresql://" not in demo.out + demo.err


def test_a_demo_that_is_stopped_leaves_no_server_behind(tmp_path, public_tmp_path):
    demo = Headway(tmp_path, "demo", "--users", "100", environment={"TMPDIR": str(public_tmp_path)})
    demo.wait_for("Filling the shop")
    assert folders_of_servers(public_tmp_path), "its server is there"
    demo.interrupt(signal.SIGTERM)
    assert demo.wait() == 130
    wait_until(lambda: not folders_of_servers(public_tmp_path), 30, "the server's folder to go")
    assert "Traceback" not in demo.err


def test_the_demo_runs_from_a_wheel_without_the_sources(tmp_path, public_tmp_path):
    sources = Path(__file__).parents[2]
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), str(sources)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("headway-*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    demo = subprocess.run(
        [sys.executable, "-m", "headway_cli", "demo", "--users", "100"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(installed), "TMPDIR": str(public_tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert f"The release: headway run -f {installed / 'headway_cli' / 'shop'}/" in demo.stdout
    assert "3 databases at the target, 13 revisions applied" in demo.stdout
    assert str(sources) not in demo.stdout
