"""What an application has made of stdout and stderr cannot fail what is said to people, nor the end of a process."""

from __future__ import annotations

import io
import os
import sys

import pytest

from headway_runner.processes.child import run_child
from headway_runner.words import standard_streams
from headway_runner.words.failures import print_error
from headway_runner.words.reports import say


class OnlyWrites:
    """As some put in place of a stream."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def closed() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


def test_a_stderr_that_cannot_be_flushed_is_written_all_the_same(monkeypatch):
    stream = OnlyWrites()
    monkeypatch.setattr(sys, "stderr", stream)
    say("it works")
    print_error(ValueError("wrong"))
    assert stream.text == "headway: it works\nheadway: ValueError: wrong\n"


@pytest.mark.parametrize("stream", [closed(), None], ids=["closed", "none"])
def test_what_cannot_be_written_to_stderr_goes_past_it(monkeypatch, capfd, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        raise ValueError("wrong")
    except ValueError as error:
        print_error(error)
    said = capfd.readouterr().err
    assert "test_standard_streams.py" in said
    assert said.endswith("headway: ValueError: wrong\n")


@pytest.mark.parametrize("stream", [OnlyWrites(), closed(), None], ids=["only writes", "closed", "none"])
def test_a_process_of_a_pass_ends_there_whatever_stdout_has_become(stream):
    """Not up the stack of the parent that it was forked from."""
    reading, orders = os.pipe()
    process = os.fork()
    if not process:
        try:
            sys.stdout = stream  # type: ignore[assignment]
            run_child(Words(), reading, None, lambda link: 1)  # type: ignore[arg-type]
        finally:
            os._exit(99)
    os.close(reading)
    _, status = os.waitpid(process, 0)
    os.close(orders)
    assert os.waitstatus_to_exitcode(status) == 0


class Words:
    """To a parent that hears everything."""

    def send(self, value: object) -> None:
        pass


def test_all_that_can_be_flushed_is(monkeypatch):
    flushed = []

    class Stream(OnlyWrites):
        def flush(self) -> None:
            flushed.append(self)

    first, replaced = Stream(), Stream()
    monkeypatch.setattr(sys, "stdout", OnlyWrites())
    monkeypatch.setattr(sys, "stderr", first)
    monkeypatch.setattr(sys, "__stdout__", replaced)
    standard_streams.flush()
    assert flushed[:2] == [first, replaced]
