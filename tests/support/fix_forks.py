"""`pytest --forks 2`: tests are collected once, then each fork takes the next file until none is left.

With thousands of short tests, a third of what pytest's usual workers (`pytest -n 2`) cost is that each collects all
tests by itself and tells of each step of each test at once. Rule: only for tests that share nothing, as unit tests.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from itertools import chain, groupby, pairwise
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NoReturn

import pytest

Files = list[list[pytest.Item]]
Wire = Connection
"""Of a fork: the number of a file that it has taken, then the reports of that file; None: none is left; a text: why
it gave up."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many."""
    parser.addoption("--forks", type=int, default=0, help="collect once, then run the tests in so many forks")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """In place of pytest's own loop, where it is asked for."""
    count = session.config.getoption("--forks")
    if not count or session.testsfailed or session.config.option.collectonly:
        return None
    # One folder for all of them: it is this process that removes those of earlier runs.
    session.config._tmp_path_factory.getbasetemp()
    files = [list(items) for _, items in groupby(session.items, key=lambda item: item.path)]
    forks = _forks(session, files, count)
    try:
        _listen(session, files, set(forks))
    finally:
        for pid in forks.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return True


def _forks(session: pytest.Session, files: Files, count: int) -> dict[Wire, int]:
    """Their process ids. All read the numbers of the files from one pipe: who is free takes the next."""
    numbers, feed = os.pipe()
    os.write(feed, b"".join(number.to_bytes(2, "big") for number in range(len(files))))
    os.close(feed)
    forks = {}
    for _ in range(count):
        heard, told = Pipe(duplex=False)
        pid = os.fork()
        if pid == 0:
            _work(session, files, numbers, told)
        told.close()
        forks[heard] = pid
    os.close(numbers)
    return forks


def _work(session: pytest.Session, files: Files, numbers: int, told: Wire) -> None:
    """All that a fork does; it never comes back: the end of the session and of Python are not its own."""
    try:
        reports = _Reports(session.config)
        for item, following in pairwise(chain(_taken(files, numbers, told), [None])):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            is_over = bool(session.shouldfail or session.shouldstop)
            if is_over or following is None or following.path != item.path:
                told.send(reports.taken())
            if is_over:
                break
        told.send(None)
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        told.send(traceback.format_exc())
    finally:
        os._exit(0)


def _taken(files: Files, numbers: int, told: Wire) -> Iterator[pytest.Item]:
    while taken := os.read(numbers, 2):
        number = int.from_bytes(taken, "big")
        told.send(number)
        yield from files[number]


class _Reports:
    """Those of a fork, kept until a file is done; a fork shows nothing itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kept: list[Any] = []
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self)
        # What tests write is caught in a file, and that would be one for all.
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of each phase of each test."""
        hook = self._config.hook
        self._kept.append(hook.pytest_report_to_serializable(config=self._config, report=report))

    def taken(self) -> list[Any]:
        """What has come in since the last time."""
        kept, self._kept = self._kept, []
        return kept


def _listen(session: pytest.Session, files: Files, wires: set[Wire]) -> None:
    """Until none has more to do; raises :class:`pytest.Session.Failed` when one ends before that."""
    begun: dict[Wire, list[int]] = {wire: [] for wire in wires}
    while wires:
        for wire in wait(list(wires)):
            try:
                news = wire.recv()
            except EOFError:
                names = " or ".join(files[number][0].path.name for number in begun[wire])
                _fail(session, f"a fork has died in {names}")
            if news is None:
                wires.remove(wire)
            elif isinstance(news, int):
                begun[wire].append(news)
            elif isinstance(news, list):
                begun[wire].pop(0)
                _show(session, news)
            else:
                raise RuntimeError(f"a fork gave up:\n{news}")


def _fail(session: pytest.Session, why: str) -> NoReturn:
    session.shouldfail = why
    raise session.Failed(why)


def _show(session: pytest.Session, reports: list[Any]) -> None:
    hook = session.config.hook
    for data in reports:
        report = hook.pytest_report_from_serializable(config=session.config, data=data)
        if report.when == "setup":
            hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
        hook.pytest_runtest_logreport(report=report)
        if report.when == "teardown":
            hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)
    if session.shouldfail:
        _fail(session, session.shouldfail)
