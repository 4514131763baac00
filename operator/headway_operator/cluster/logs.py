"""Follows the logs of running pods and keeps of each the newest progress; advisory, so a lost line is only lost time.

A stream that ends or goes silent (a log rotation, a proxy) is opened again from the last event's time on, and lines
that come twice are told by their sequence numbers. More pods than may be followed at once take turns, so what one
asks is heard in the end, however many others run for hours.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from headway_contract.events import Event
from headway_contract.wire import from_line
from headway_operator.cluster.interface import Cluster, ClusterError, Key
from headway_operator.cluster.shares import Shares
from headway_operator.cluster.telling import told
from headway_operator.planner.snapshot import JobProgress

MAX_STREAMS = 100
TURN_SECONDS = 10.0
"""While others wait. With it at most ten streams a second are opened to let another one have its turn."""
SILENCE_SECONDS = 30.0
"""The runner's heartbeat comes every 10 s: after three of them the stream is taken for broken."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
ENDS = ENDED, SILENT, BROKE, GAVE_WAY = "Ended", "Silent", "Broke", "GaveWay"


@dataclass(frozen=True)
class Target:
    """One running pod and the Job that it works for."""

    job: str
    pod: str


@dataclass
class _Stream:
    progress: JobProgress
    since: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class LogFollower:
    """One stream per running pod.

    ``on_progress`` gets the resource's key when a person could see a change, ``on_event`` what is heard, once each.
    """

    def __init__(
        self, cluster: Cluster, on_progress: Callable[[Key], None], on_event: Callable[[Key, Event], None]
    ) -> None:
        self._cluster = cluster
        self._on_progress = on_progress
        self._on_event = on_event
        self._streams: dict[tuple[Key, Target], _Stream] = {}
        self.reopened = Counter(dict.fromkeys(ENDS, 0))
        """Streams that were opened again, by what became of the one before: one of :data:`ENDS`."""
        self._places = Shares(MAX_STREAMS, TURN_SECONDS)

    def follow(self, key: Key, targets: Iterable[Target]) -> None:
        """Follow exactly these pods of the resource from now on."""
        wanted = set(targets)
        for known, target in list(self._streams):
            if known == key and target not in wanted:
                self._drop(known, target)
        for target in wanted:
            if (key, target) not in self._streams:
                stream = _Stream(JobProgress(target.job))
                self._streams[key, target] = stream
                stream.task = asyncio.create_task(self._run(key, target, stream))

    def progress_of(self, key: Key) -> tuple[JobProgress, ...]:
        """The newest of each pod that is followed."""
        return tuple(
            stream.progress
            for (known, _), stream in self._streams.items()
            if known == key and stream.progress.sequence
        )

    @property
    def open(self) -> int:
        """How many streams are open; other pods wait for their turn."""
        return self._places.held

    async def close(self) -> None:
        """End all streams."""
        tasks = [stream.task for stream in self._streams.values() if stream.task]
        for known, target in list(self._streams):
            self._drop(known, target)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drop(self, key: Key, target: Target) -> None:
        stream = self._streams.pop((key, target))
        if stream.task:
            stream.task.cancel()

    async def _run(self, key: Key, target: Target, stream: _Stream) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            before = stream.progress.sequence
            end = await self._turn(key, target, stream)
            pause = FIRST_PAUSE_SECONDS if stream.progress.sequence > before else pause * 2
            await asyncio.sleep(min(pause, LONGEST_PAUSE_SECONDS))
            self.reopened[end] += 1

    async def _turn(self, key: Key, target: Target, stream: _Stream) -> str:
        try:
            async with self._places.place():
                return await self._read(key, target, stream)
        except TimeoutError:
            return GAVE_WAY

    async def _read(self, key: Key, target: Target, stream: _Stream) -> str:
        """Until the stream ends, breaks or goes silent, which it tells; what is worth knowing is in ``stream``."""
        lines = self._cluster.follow_log(key.namespace, target.pod, stream.since)
        try:
            async with aclosing(lines):
                while True:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        line = await anext(lines)
                    self._take(key, stream, line)
        except StopAsyncIteration:
            return ENDED
        except TimeoutError:
            return SILENT
        except ClusterError:
            return BROKE

    def _take(self, key: Key, stream: _Stream, line: str) -> None:
        envelope = from_line(line)
        if envelope is None:
            return
        before, stream.progress = stream.progress, told(stream.progress, envelope)
        if stream.progress.sequence > before.sequence:
            self._on_event(key, envelope.event)
        stream.since = envelope.time
        if _visible(stream.progress) != _visible(before):
            self._on_progress(key)


def _visible(progress: JobProgress) -> tuple[object, ...]:
    counts = progress.revisions_done, progress.revisions_total, len(progress.records), len(progress.applied)
    notices = len(progress.notices), progress.has_further_notices
    return progress.current, progress.message, progress.asks, *counts, *notices
