"""Ctrl-C while an operation works under plain Alembic."""

from __future__ import annotations

import signal
import threading

import pytest

from headway.interrupts import Interrupted, heard_by
from headway.link import NoLink
from headway.wishes import parse


def press():
    signal.raise_signal(signal.SIGINT)


def work_on(link, *steps):
    """An operation of these steps."""
    with heard_by(link):
        for step in steps:
            step()


def fail():
    raise ValueError("a bad row")


def test_the_first_one_is_a_wish_to_stop_that_the_operation_finds_at_its_next_safe_point(capsys):
    link = NoLink()
    link.report(
        "BackfillProgressed",
        {"table": "users", "rows_done": 42, "percent": 1.0, "rows_per_second": 1.0, "throttled_by": ""},
    )
    wished = []
    with pytest.raises(Interrupted) as ended:
        work_on(link, press, lambda: wished.append(parse(link.wishes()).stop), lambda: link.stop(""), fail)
    assert wished == [True]
    assert ended.value.code == 130
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "in the backfill of users, 42 rows of which are done" in said[0]
    assert "it goes on there" in said[1]


def test_one_that_no_safe_point_has_found_is_not_lost():
    with pytest.raises(Interrupted):
        work_on(NoLink(), press)


def test_a_second_one_ends_it_at_once():
    with pytest.raises(KeyboardInterrupt):
        work_on(NoLink(), press, press, fail)


def test_an_error_of_the_operation_is_not_hidden_by_it():
    with pytest.raises(ValueError, match="a bad row"):
        work_on(NoLink(), press, fail)


def test_afterwards_and_under_the_operator_it_is_python_s_own():
    before = signal.getsignal(signal.SIGINT)
    with heard_by(NoLink()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
    with heard_by(None):
        assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nothing_is_changed():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with heard_by(NoLink()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_program_that_ignores_it_goes_on_to_do_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with heard_by(NoLink()):
            press()
    finally:
        signal.signal(signal.SIGINT, before)
