"""A look that has told what it saw and then comes to no end is killed, and what it saw stands."""

from __future__ import annotations

import os
import threading

from headway_contract.request import Mode, RunRequest
from headway_runner.modes.plan import inspect_once
from headway_runner.processes.streams import EventStream
from headway_runner.processes.supervisor import Died, Supervisor
from headway_runner.processes.task import Inspection, Task
from support.runner import database_request

FOUND = Inspection(current=("a1",))


def endless(link, task):
    """As a revision does that hides the end of its time."""
    link.tell_before(FOUND)
    threading.Event().wait()


def test_a_process_that_does_not_end_after_its_look_is_killed_and_the_look_is_kept(tmp_path):
    descriptor = os.open(tmp_path / "events", os.O_WRONLY | os.O_CREAT)
    request = RunRequest(Mode.PLAN, "run", (database_request(),))
    task = Task(request, request.databases[0], "heads")
    supervisor = Supervisor(request, EventStream(descriptor))
    died = supervisor.run(endless, task, killable=True, seconds_after_look=0.2)
    assert isinstance(died, Died)
    assert (died.before, died.status) == (FOUND, -9)
    os.close(descriptor)


def test_the_notice_says_that_the_facts_are_missing():
    class Supervised:
        def run(self, *arguments, **options):
            return Died(-9, before=FOUND)

    task = Task(RunRequest(Mode.PLAN, "run", (database_request(),)), database_request(), "heads")
    found = inspect_once(Supervised(), task)
    assert found.current == ("a1",)
    assert found.notices[0].startswith(
        "What the revisions would do cannot be told: the process that wrote them"
    )
