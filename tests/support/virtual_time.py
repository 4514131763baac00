"""An event loop whose clock jumps to the next timer: hours of waiting pass at once, and at exact times."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Does not wait: the time that a wait would take is added to `now`."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; raises RuntimeError where nothing ever would be."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits, and for no point in time")
        if not ready:
            self.now += timeout or 0.0
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_in_virtual_time(story: Coroutine[Any, Any, T]) -> T:
    """Its result; inside, `asyncio.get_running_loop().time()` is the clock, and begins at 0."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(story)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A test that nothing but timers keeps waiting; a thread would find that time has passed meanwhile."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> T:
        return run_in_virtual_time(test(*arguments, **named))

    return run
