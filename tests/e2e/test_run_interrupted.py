"""`headway run` when it is stopped: Ctrl-C, SIGTERM, kill -9. What was applied stays, and a second run goes on."""

import os
import signal

import pytest

from support.command_line import Headway, resource
from support.projects import from_template
from support.waiting import wait_until

# Tells its processes, then waits until it may go on.
WAITS = """
import os, pathlib, time
pathlib.Path({started!r}).write_text(f"{{os.getpid()}} {{os.getppid()}}")
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
op.create_table('second', sa.Column('id', sa.Integer, primary_key=True))
"""


class Waiting:
    """A project whose second of three revisions waits for a file."""

    def __init__(self, folder, database):
        self.folder, self.database = folder, database
        self.started, self.go = folder / "started", folder / "go"
        project = from_template(folder).tables("first")
        project.revision("second", WAITS.format(started=str(self.started), go=str(self.go)))
        project.tables("third")
        (folder / "shop.yaml").write_text(resource({"main": {}}))
        self.arguments = ("run", "-f", "shop.yaml", f"--url=main={database.url()}")

    def run(self):
        return Headway(self.folder, *self.arguments)

    def run_until_it_waits(self):
        run = self.run()
        wait_until(lambda: self.started.exists() and self.started.read_text(), 60, "the second revision")
        return run

    @property
    def version(self):
        return self.database.scalar("SELECT version_num FROM alembic_version")

    @property
    def processes(self):
        return [int(word) for word in self.started.read_text().split()]


@pytest.fixture
def waiting(tmp_path, make_database):
    return Waiting(tmp_path, make_database())


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_between_two_revisions_and_the_same_command_goes_on(waiting, number):
    run = waiting.run_until_it_waits()
    run.interrupt(number)
    run.wait_for("stops at the next safe point")
    waiting.go.touch()
    assert run.wait() == 130, run.out + run.err
    assert "after the batch or the revision that is running; Ctrl-C again cancels it" in run.out
    assert waiting.version == "second"
    assert "main  stopped after 2 of 3 revisions" in run.out
    assert "  headway run -f shop.yaml --url=main=***" in run.out
    again = waiting.run()
    assert again.wait() == 0, again.out
    assert waiting.version == "third"


def test_a_second_ctrl_c_cancels_the_revision_and_more_of_them_do_no_harm(waiting):
    run = waiting.run_until_it_waits()
    run.interrupt()
    run.wait_for("stops at the next safe point")
    run.interrupt()
    run.wait_for("cancelling what runs")
    run.interrupt()
    assert run.wait() == 130, run.out + run.err
    assert waiting.version == "first"
    assert not any(is_alive(process) for process in waiting.processes)
    waiting.go.touch()
    assert waiting.run().wait() == 0
    assert waiting.version == "third"


def test_kill_9_leaves_no_runner_behind_and_a_second_run_completes(waiting):
    run = waiting.run_until_it_waits()
    run.interrupt(signal.SIGKILL)
    run.wait()
    for process in waiting.processes:
        wait_until(lambda process=process: not is_alive(process), 60, "the end of the runner")
    assert waiting.version == "first"
    waiting.go.touch()
    again = waiting.run()
    assert again.wait() == 0, again.out
    assert waiting.version == "third"
