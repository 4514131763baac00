"""Carries messages to hooks in the background: a look is never kept waiting, and learns of the answers in the next.

Only memory: what is under way, and what came back that the status does not say yet. Whoever loses it sends again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from headway_operator.api.hooks import HookStatus
from headway_operator.cluster.interface import Key
from headway_operator.planner.deliveries import Answer, Answered, Delivery, HookAnswer, Polled
from headway_operator.planner.outbox import Batch, Letter

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""Between two questions to a Throttle about one backfill."""
LONGEST_POLL_SECONDS = 60.0
"""However long a Throttle asks us to wait."""
DEFECT = Answered(Answer.ERROR, sentence="the operator could not send it; its log has the reason")
NOBODY = Answered(Answer.FORBIDDEN, sentence="nothing is sent from here")


class Sender(Protocol):
    """One attempt to deliver one message."""

    async def send(self, delivery: Delivery) -> Answered:
        """What came back; in bounded time, and no error is raised for what the other side does."""


class NoSender:
    """Where nobody sends anything: every message is forbidden."""

    async def send(self, delivery: Delivery) -> Answered:
        """Nothing is sent."""
        return NOBODY


class Courier:
    """``wake`` gets the key of a resource for which something came back, and whether it is waited for."""

    def __init__(
        self,
        sender: Sender,
        wake: Callable[[Key, bool], None],
        called: Callable[[Delivery, Answered], None] = lambda delivery, answered: None,
    ) -> None:
        """``called`` is told of every attempt."""
        self._sender = sender
        self._called = called
        self._wake = wake
        self._answers: dict[Key, dict[tuple[str, int], Answered]] = {}
        self._questions: dict[Key, dict[tuple[str, str], Delivery]] = {}
        self._polled: dict[Key, dict[tuple[str, str], Answered]] = {}
        self._tasks: dict[tuple[Key, str], asyncio.Task[None]] = {}

    def answers(self, key: Key) -> tuple[HookAnswer, ...]:
        """What came back for this resource and is not in its status yet, as far as was seen."""
        return tuple(
            HookAnswer(name, attempt, answered)
            for (name, attempt), answered in self._answers.get(key, {}).items()
        )

    def polled(self, key: Key) -> tuple[Polled, ...]:
        """What the Throttles said last."""
        return tuple(
            Polled(hook, database, answered)
            for (hook, database), answered in self._polled.get(key, {}).items()
        )

    def carry(self, key: Key, batches: tuple[Batch, ...], written: tuple[HookStatus, ...]) -> None:
        """Send these, unless they are under way; ``written`` is what the status says of all messages."""
        awaited = {(entry.id, entry.attempts + 1) for entry in written if entry.result.is_open}
        kept = {one: answer for one, answer in self._answers.get(key, {}).items() if one in awaited}
        self._answers[key] = kept
        for batch in batches:
            letters = tuple(one for one in batch.letters if (one.delivery.id, one.attempt) not in kept)
            if letters:
                self._start(key, batch.lane, self._deliver(key, letters, batch.lane))

    def ask(self, key: Key, questions: tuple[Delivery, ...]) -> None:
        """Ask these again and again from now on, and no others."""
        asked = {(question.hook, question.subject): question for question in questions}
        self._questions[key] = asked
        self._polled[key] = {one: told for one, told in self._polled.get(key, {}).items() if one in asked}
        for hook, subject in asked:
            self._start(key, f"poll {hook} {subject}", self._poll(key, (hook, subject)))

    def forget(self, key: Key) -> None:
        """The resource is gone or at rest: what is under way for it is let go."""
        for known, lane in [one for one in self._tasks if one[0] == key]:
            self._tasks.pop((known, lane)).cancel()
        for memory in (self._answers, self._questions, self._polled):
            memory.pop(key, None)

    async def close(self) -> None:
        """End what is under way; the status has all of it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: Key, lane: str, work: Coroutine[Any, Any, None]) -> None:
        running = self._tasks.get((key, lane))
        if running is not None and not running.done():
            work.close()
            return
        self._tasks[key, lane] = asyncio.create_task(work)

    async def _deliver(self, key: Key, letters: tuple[Letter, ...], lane: str) -> None:
        """One after the other; the first that does not arrive ends it, because the next must not overtake it."""
        for letter in letters:
            answered = await self._send(letter.delivery)
            self._answers.setdefault(key, {})[letter.delivery.id, letter.attempt] = answered
            goes_on = answered.answer is Answer.ACCEPTED and letter is not letters[-1]
            if not goes_on:
                break
            self._wake(key, False)
        # The lane is free before anybody looks.
        self._tasks.pop((key, lane), None)
        self._wake(key, True)

    async def _poll(self, key: Key, what: tuple[str, str]) -> None:
        while (question := self._questions.get(key, {}).get(what)) is not None:
            answered = await self._send(question)
            if what not in self._questions.get(key, {}):
                return
            known = self._polled.setdefault(key, {})
            is_news = known.get(what) != answered
            known[what] = answered
            if is_news:
                self._wake(key, True)
            pause = answered.retry_after_seconds or 0.0
            await asyncio.sleep(min(max(POLL_SECONDS, pause), LONGEST_POLL_SECONDS))

    async def _send(self, delivery: Delivery) -> Answered:
        answered = await self._attempt(delivery)
        self._called(delivery, answered)
        return answered

    async def _attempt(self, delivery: Delivery) -> Answered:
        try:
            return await self._sender.send(delivery)
        except Exception:
            log.exception(
                "message %s to hook %s: this is a defect of the operator", delivery.id, delivery.hook
            )
            return DEFECT
