"""The child's side of a phase: a process forked for one pass, with a pipe for its words and one for its orders.

What else is wished of it is a level (``level.py``), looked at where something can be done about it.
Rule: orders arrive in a thread, because a signal would wait until the driver's C code returns. When the parent is
gone (the pipe ends) the statement is cancelled and the process ends: no migration runs on without an owner.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Any, Protocol

from headway_contract.control import Control
from headway_contract.events import Event
from headway_contract.records import dataclass
from headway_runner.processes.level import Level
from headway_runner.processes.pipes import Sender
from headway_runner.words.reports import say
from headway_runner.words.standard_streams import flush

STOP = b"s"
"""At the next safe point."""
CANCEL = b"c"
"""Now."""
_CANCEL_EVERY_SECONDS = 0.5
_CANCELS_BEFORE_INTERRUPT = 4
_CANCELS_BEFORE_EXIT = 10


@dataclass(frozen=True)
class Finished:
    """The last word of a phase's process: what it found."""

    outcome: Any


@dataclass(frozen=True)
class Kept:
    """What of a revision that still runs is committed already: known to the parent, should this process be killed."""

    revision: str
    statements: tuple[str, ...]


NOTHING_KEPT = Kept("", ())


@dataclass(frozen=True)
class Saw:
    """What was seen before code of the revisions runs: known to the parent, whatever that code does."""

    before: Any


@dataclass(frozen=True)
class Entrusted:
    """What the parent needs as it is, credentials and all: it is not masked, so it is never to be told."""

    value: Any


class Cancelled(BaseException):
    """Raised in the main thread when there was no statement to cancel: the revision's own code is running."""


class Orders(Protocol):
    """Where a phase's process gets its orders from."""

    def take(self) -> bytes:
        """Wait for the next order; empty once nobody is there any more who could give one."""

    def end_within(self, seconds: float) -> bool:
        """Wait at most so long for the end of whoever gives the orders; whether it has come."""


class PipedOrders:
    """Orders through a pipe that the parent alone can write."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def take(self) -> bytes:
        """One byte."""
        return os.read(self._descriptor, 1)

    def end_within(self, seconds: float) -> bool:
        """Further orders are dropped: there is none beyond the cancellation."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        return bool(ready) and self.take() == b""


class Link:
    """To the parent: events up, orders and wishes down."""

    def __init__(self, words: Sender, orders: Orders, level: Level) -> None:
        self._words = words
        self._orders = orders
        self.level = level
        self._cancel: Callable[[], None] = lambda: None
        self._is_cancellable: Callable[[], bool] = lambda: False
        self.stop_requested = False
        self._nothing_has_begun = False
        self._ending = threading.Lock()
        self._pass_on: Callable[[bytes], None] = lambda order: None

    def emit(self, *events: Event) -> None:
        """Hand events to the parent, the only one that writes them."""
        self._words.send(events)

    def keep(self, revision: str, statements: tuple[str, ...]) -> None:
        """Tell the parent what of this revision is committed."""
        self._words.send(Kept(revision, statements))

    def control(self) -> Control:
        """What is wished now."""
        return self.level.get()

    def tell_before(self, before: object) -> None:
        """Tell the parent what was seen; code of the revisions is about to run."""
        self._words.send(Saw(before))

    def entrust(self, value: object) -> None:
        """Give the parent alone what it needs as it is."""
        self._words.send_as_it_is(Entrusted(value))

    def finish(self, outcome: object) -> None:
        """The last word of this process: whoever closes the orders after it is no parent that is gone."""
        self._is_cancellable = lambda: False
        self._words.send(Finished(outcome))

    def cancel_by(self, cancel: Callable[[], None]) -> None:
        """How to cancel the statement that is running, from another thread."""
        self._cancel = cancel

    def cancel_while(self, is_cancellable: Callable[[], bool]) -> None:
        """When there is something to cancel."""
        self._is_cancellable = is_cancellable

    def nothing_has_begun(self) -> None:
        """From here on an order, also one that was given before, ends this process at once."""
        with self._ending:
            self._nothing_has_begun = True
        if self.stop_requested:
            self._end_if_nothing_has_begun()

    def something_begins(self) -> None:
        """From here on an order is heeded at the next safe point."""
        with self._ending:
            self._nothing_has_begun = False

    def _end_if_nothing_has_begun(self) -> None:
        """In the thread that takes orders: the process ends, or its main thread is past the point and knows."""
        with self._ending:
            if self._nothing_has_begun:
                flush()
                os._exit(1)

    def pass_orders_on(self, pass_on: Callable[[bytes], None]) -> None:
        """Whom to tell each order, from another thread; CANCEL also when nobody is left who could give one."""
        self._pass_on = pass_on

    def listen(self) -> None:
        """Start to take orders. Ctrl-C reaches the whole process group: it is the parent's to handle."""
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGUSR1, interrupt)
        self.obey_in_background()

    def obey_in_background(self) -> None:
        """Start the thread that takes orders."""
        threading.Thread(target=self._obey, name="headway-orders", daemon=True).start()

    def _obey(self) -> None:
        order = self._orders.take()
        while order == STOP:
            self.stop_requested = True
            self._end_if_nothing_has_begun()
            self._pass_on(STOP)
            order = self._orders.take()
        self.stop_requested = True
        self._end_if_nothing_has_begun()
        self._pass_on(CANCEL)
        self._cancel_until_the_end(is_orphan=order == b"")

    def _cancel_until_the_end(self, is_orphan: bool) -> None:
        times = 0
        while True:
            if self._is_cancellable():
                times += 1
                self._cancel_once(times)
            elif is_orphan:
                times += 1
            if is_orphan and times > _CANCELS_BEFORE_EXIT:
                end_with_all()
            if is_orphan:
                threading.Event().wait(_CANCEL_EVERY_SECONDS)
            else:
                is_orphan = self._orders.end_within(_CANCEL_EVERY_SECONDS)

    def _cancel_once(self, times: int) -> None:
        try:
            self._cancel()
        except Exception as error:  # noqa: BLE001 - the connection may just have ended; it is tried again
            say(f"the statement could not be cancelled: {type(error).__name__}")
        if times == _CANCELS_BEFORE_INTERRUPT:
            main = threading.main_thread().ident
            if main is not None and signal.getsignal(signal.SIGUSR1) is interrupt:
                signal.pthread_kill(main, signal.SIGUSR1)


def end_with_all() -> None:
    """End this process, and if it has a process group of its own, all of that."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def interrupt(*_: object) -> None:
    """For SIGUSR1: raises :class:`Cancelled` in the main thread."""
    raise Cancelled("The run was asked to stop.")


def run_child(words: Sender, orders: int, level: Level, phase: Callable[[Link], object]) -> None:
    """Run a phase in this forked process and end the process."""
    link = Link(words, PipedOrders(orders), level)
    link.listen()
    status = 1
    try:
        link.finish(phase(link))
        status = 0
    except BrokenPipeError:
        say("the supervising process is gone; this one ends too")
    finally:
        # Neither the parent's exit handlers nor forgotten threads of the user's code may hold the process.
        try:
            flush()
        finally:
            os._exit(status)
