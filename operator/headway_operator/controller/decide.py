"""Decides; where SQL is to be read for it, in a thread, so that watches and the Lease go on meanwhile.

PostgreSQL's parser lets go of the interpreter's lock, and what Python does with its trees is interrupted every few
milliseconds. One thread, for more of them would only take the interpreter from the loop. What was read is kept until
the status has it: when that could not be written, the next look decides about the same plan.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from headway_operator.cluster.interface import Key
from headway_operator.planner.actions import Decision
from headway_operator.planner.plan import plan
from headway_operator.planner.review import findings_of, plan_to_review
from headway_operator.planner.snapshot import Read, Snapshot


class Decider:
    """The planner, for an event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lint")
        self._read: dict[Key, Read] = {}

    async def decide(self, snapshot: Snapshot) -> Decision:
        """What to do about this resource now."""
        key, told = Key(snapshot.migration.namespace, snapshot.migration.name), plan_to_review(snapshot)
        if told is None:
            self.forget(key)
            return plan(snapshot)
        known = self._read.get(key)
        if known is None or known.plan != told:
            loop = asyncio.get_running_loop()
            known = Read(told, await loop.run_in_executor(self._thread, findings_of, told))
            self._read[key] = known
        return plan(replace(snapshot, read=known))

    def forget(self, key: Key) -> None:
        """Nothing of it is to be decided with what was read."""
        self._read.pop(key, None)

    def close(self) -> None:
        """Begin nothing any more; what is under way has nobody who waits for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
