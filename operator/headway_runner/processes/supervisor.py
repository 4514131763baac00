"""The parent process: forks a child per phase, writes all events, keeps the time, passes on what is wished.

Rule: it has no thread and loads nothing of the user's, so forking is safe and a wish to stop is always heard.
"""

import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from headway_contract.control import Control
from headway_contract.events import Event, Heartbeat, RunStarted, Steered, Stopping
from headway_contract.records import dataclass
from headway_contract.request import RunRequest
from headway_runner.processes.child import (
    CANCEL,
    NOTHING_KEPT,
    STOP,
    Entrusted,
    Finished,
    Kept,
    Link,
    Saw,
    run_child,
)
from headway_runner.processes.level import Level
from headway_runner.processes.pipes import Receiver, Sender
from headway_runner.processes.streams import EventStream
from headway_runner.processes.task import Inspection, Task

POLL_SECONDS = 0.2
TO_WRITE_THE_RESULT_SECONDS = 1.0
T = TypeVar("T")


@dataclass(frozen=True)
class Died:
    """A phase's process ended without a word."""

    status: int
    """As ``os.waitstatus_to_exitcode``: negative for a signal."""
    events: tuple[Event, ...] = ()
    """What it had told before."""
    kept: Kept = NOTHING_KEPT
    """What it had committed in the middle of a revision."""
    before: Inspection | None = None
    """What it had seen before code of the revisions ran, if it told."""

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        if self.status == -signal.SIGKILL:
            return "The process that ran it was killed (signal 9), most often because the memory limit was reached."
        if self.status < 0:
            return f"The process that ran it was ended by signal {-self.status}."
        return f"The process that ran it ended itself with exit code {self.status}."


class Child:
    """One forked phase."""

    def __init__(self, process: int, words: Receiver, orders: int) -> None:
        self.process = process
        self.words = words
        self._orders = orders
        self._ordered: dict[bytes, float] = {}
        self._status: int | None = None

    def has_ended(self) -> bool:
        """Whether the process is over."""
        if self._status is None:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            self._status = status if ended else None
        return self._status is not None

    def is_silent(self) -> bool:
        """Nothing more will come. The pipe may outlive the process, in one that the user's code left behind."""
        return self.words.at_end or (self.words.is_empty() and self.has_ended() and self.words.is_empty())

    def order_once(self, order: bytes, now: float) -> float:
        """Send an order the first time; returns when that was. A child that has just ended needs none."""
        if order not in self._ordered:
            self._ordered[order] = now
            with suppress(BrokenPipeError):
                os.write(self._orders, order)
        return self._ordered[order]

    def kill(self) -> None:
        """End it at once, and what it started if it has a process group of its own."""
        if self.has_ended():
            return
        if os.getpgid(self.process) == self.process:
            os.killpg(self.process, signal.SIGKILL)
        else:
            os.kill(self.process, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        self.words.close()
        os.close(self._orders)
        status = os.waitpid(self.process, 0)[1] if self._status is None else self._status
        return os.waitstatus_to_exitcode(status)


class Supervisor:
    """Runs phases one after the other."""

    def __init__(
        self, request: RunRequest, stream: EventStream, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._stream = stream
        self._clock = clock
        self._last_heartbeat = clock()
        self._signals = 0
        self._cancel_at: float | None = None
        self._killed_at = 0.0
        """When the grace period ends, by the clock; 0: no signal has come."""
        self._level = Level.make()
        self.stopping: Stopping | None = None
        """Set once the wish to stop has arrived."""
        self._has_started = False
        self.entrusted: object = None
        """By the last phase, to this process alone; it may hold credentials."""

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as the wish to stop. As PID 1 a process without a handler would ignore them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def _signalled(self, *_: object) -> None:
        self._signals += 1
        grace = self._request.grace_seconds
        self._killed_at = self._killed_at or self._clock() + grace
        patience = grace / 2 if grace <= 12 else grace - 10
        # A second Ctrl-C means: now.
        due = self._clock() + (max(patience, 1) if self._signals == 1 else 0)
        self._cancel_at = due if self._cancel_at is None else min(self._cancel_at, due)

    def emit(self, *events: Event) -> None:
        """Write events; of those that tell that the run has started the first, because several passes may."""
        for event in events:
            if isinstance(event, RunStarted) and self._has_started:
                continue
            self._has_started = self._has_started or isinstance(event, RunStarted)
            self._stream.write(event)

    def run(
        self,
        phase: Callable[[Link, Task], T],
        task: Task,
        killable: bool = False,
        last: bool = False,
        seconds_after_look: float | None = None,
        seconds: float = math.inf,
    ) -> T | Died:
        """Run a phase in a fresh process.

        ``killable``: it changes nothing, so a stop ends it at once. ``last``: nothing comes after it, so it may have
        the rest of the grace period. ``seconds``: how long it may take; ``seconds_after_look``: how long it may go on
        once it has told what it saw.
        """
        self.entrusted = None
        child = self._fork(phase, task)
        events: list[Event] = []
        finished: Finished | None = None
        kept, before, due = NOTHING_KEPT, None, self._clock() + seconds
        while finished is None:
            words = child.words.receive(POLL_SECONDS)
            # Asked only when nothing came: it costs as many system calls as an event.
            if not words and child.is_silent():
                break
            for word in words:
                if isinstance(word, Finished):
                    finished = word
                elif isinstance(word, Kept):
                    kept = word
                elif isinstance(word, Saw):
                    before = word.before
                    due = math.inf if seconds_after_look is None else self._clock() + seconds_after_look
                elif isinstance(word, Entrusted):
                    self.entrusted = word.value
                else:
                    events.extend(word)
                    self.emit(*word)
            self._tend(child, killable, last)
            if self._clock() > due:
                child.kill()
        status = child.wait()
        if finished is None:
            return Died(status, tuple(events), kept, before)
        outcome: T = finished.outcome
        return outcome

    def pause(self, seconds: float) -> bool:
        """Wait, with heartbeats; ends early, and says False, when asked to stop."""
        end = self._clock() + seconds
        while self._clock() < end and self.stopping is None:
            time.sleep(min(POLL_SECONDS, max(end - self._clock(), 0)))
            self._look_around()
        return self.stopping is None

    def _fork(self, phase: Callable[[Link, Task], T], task: Task) -> Child:
        heard, words = os.pipe()
        orders, given = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(heard)
            os.close(given)
            self._stream.close()
            run_child(Sender(words), orders, self._level, lambda link: phase(link, task))
        os.close(words)
        os.close(orders)
        return Child(process, Receiver(heard), given)

    def _look_around(self) -> None:
        """Heartbeat, signals, control file."""
        now = self._clock()
        if now - self._last_heartbeat >= self._request.heartbeat_seconds:
            self._last_heartbeat = now
            self.emit(Heartbeat())
        control, known = self._read_control(), self._level.get()
        if control != known and control.sequence >= known.sequence:
            self._level.put(control)
            if not control.stop and control.sequence:
                pace = control.backfill.pace if control.backfill is not None else ""
                self.emit(Steered(control.sequence, control.pause, pace))
        if self.stopping is None:
            self.stopping = self._wish_to_stop(control)
            if self.stopping is not None:
                self.emit(self.stopping)

    def _read_control(self) -> Control:
        """What the operator wishes now; a file that cannot be read for a moment changes nothing."""
        if not self._request.control_file:
            return self._level.get()
        try:
            return Control.from_json(Path(self._request.control_file).read_text())
        except OSError:
            return self._level.get()

    def _wish_to_stop(self, control: Control) -> Stopping | None:
        if self._signals:
            return Stopping(0, "The process was asked to end.")
        return Stopping(control.sequence, control.reason) if control.stop else None

    def _tend(self, child: Child, killable: bool, last: bool) -> None:
        """Pass the wish to stop on, once in each strength: stop, cancel, and in the end the kill."""
        self._look_around()
        if self.stopping is None:
            return
        now = self._clock()
        if killable:
            child.kill()
        child.order_once(STOP, now)
        if self._cancel_at is not None and now >= self._cancel_at:
            cancelled_at = child.order_once(CANCEL, now)
            end = cancelled_at + min(max(self._request.grace_seconds / 4, 3.0), 6.0)
            if now >= (max(end, self._killed_at - TO_WRITE_THE_RESULT_SECONDS) if last else end):
                child.kill()
