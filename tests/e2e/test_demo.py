"""`headway demo` from its beginning to its end, with a smaller shop."""

import signal
from pathlib import Path

from support.command_line import Headway
from support.waiting import wait_until

FOLDER = "/tmp"
"""Where the server may have its data: every user can enter it."""


def folders_of_servers():
    return set(Path(FOLDER).glob("headway-postgres-*"))


def test_the_demo_takes_three_databases_to_head_and_says_how_to_go_on_with_a_cluster(tmp_path):
    demo = Headway(tmp_path, "demo", "--users", "5000", environment={"TMPDIR": FOLDER})
    assert demo.wait() == 0, demo.out + demo.err
    assert "plan: 13 revisions to apply in 3 databases" in demo.out
    assert "3 databases at the target, 13 revisions applied" in demo.out
    assert "Status and full name of 5,000 users filled in batches, 0 missed." in demo.out
    assert "kubectl apply -f" in demo.out
    assert "postgresql://" not in demo.out + demo.err


def test_a_demo_that_is_stopped_leaves_no_server_behind(tmp_path):
    before = folders_of_servers()
    demo = Headway(tmp_path, "demo", "--users", "100", environment={"TMPDIR": FOLDER})
    demo.wait_for("Filling the shop")
    started = folders_of_servers() - before
    demo.interrupt(signal.SIGTERM)
    assert demo.wait() == 130
    wait_until(lambda: not started & folders_of_servers(), 30, "the server's folder to go")
    assert "Traceback" not in demo.err
