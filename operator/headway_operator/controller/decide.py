"""Decides; where SQL is to be read for it, in a thread, so that watches and the Lease go on meanwhile.

PostgreSQL's parser lets go of the interpreter's lock, and what Python does with its trees is interrupted every few
milliseconds. One thread, for more of them would only take the interpreter from the loop.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from headway_operator.planner.actions import Decision
from headway_operator.planner.plan import plan
from headway_operator.planner.review import is_to_be_reviewed
from headway_operator.planner.snapshot import Snapshot


class Decider:
    """The planner, for an event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lint")

    async def decide(self, snapshot: Snapshot) -> Decision:
        """What to do about this resource now."""
        if not is_to_be_reviewed(snapshot):
            return plan(snapshot)
        return await asyncio.get_running_loop().run_in_executor(self._thread, plan, snapshot)

    def close(self) -> None:
        """Begin nothing any more; what is under way has nobody who waits for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
