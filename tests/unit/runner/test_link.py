"""What a phase's process makes of its orders, and of the end of whoever gives them."""

import os

import pytest

from headway_runner.processes import child
from headway_runner.processes.child import Link
from headway_runner.processes.level import Level
from headway_runner.processes.pipes import Sender


class Ended(Exception):
    """In the place of the end of this process."""


class NobodysOrders:
    """Whoever gave them is gone, or needs nothing more."""

    def take(self):
        return b""


@pytest.fixture
def link(monkeypatch):
    def ends():
        raise Ended

    monkeypatch.setattr(child, "end_with_all", ends)
    monkeypatch.setattr(child, "_CANCEL_EVERY_SECONDS", 0)
    _, writing = os.pipe()
    link = Link(Sender(writing), NobodysOrders(), Level.make())
    # A revision was begun, and ended with an error.
    link.cancel_while(lambda: True)
    return link


def test_after_its_last_word_a_process_cancels_nothing_when_its_parent_lets_go(link, capsys):
    link.cancel_by(lambda: pytest.fail("nobody asked for it"))
    link.finish("failed")
    with pytest.raises(Ended):
        link._obey()
    assert capsys.readouterr().err == ""


def test_before_that_the_statement_is_cancelled_because_nobody_would_own_it(link):
    cancelled = []
    link.cancel_by(lambda: cancelled.append("SELECT pg_sleep(60)"))
    with pytest.raises(Ended):
        link._obey()
    assert cancelled
