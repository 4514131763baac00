"""The loop: keys come from events, each is observed, planned and acted upon; nothing is decided here.

What is kept in memory is only there to save requests: which resources are busy, and what of each is known already.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from headway_contract.events import Event
from headway_operator.api.migration import Migration, parse
from headway_operator.cluster.interface import Body, Cluster, ClusterError, Conflict, Key, NotFound
from headway_operator.cluster.logs import LogFollower
from headway_operator.cluster.views import is_news, migration_key_of
from headway_operator.controller.courier import Courier, NoSender, Sender
from headway_operator.controller.decide import Decider
from headway_operator.controller.execute import Report, act, post, sweep, tell
from headway_operator.controller.interest import Wish, after, is_at_rest
from headway_operator.controller.json_log import about
from headway_operator.controller.notices import Notices
from headway_operator.controller.observe import Sight, is_fresh, observe
from headway_operator.controller.progress import Pacer
from headway_operator.controller.queue import WorkQueue
from headway_operator.controller.rush import Rush
from headway_operator.controller.sightings import Sightings
from headway_operator.controller.turns import Turns
from headway_operator.controller.witness import NOBODY, Witness
from headway_operator.planner.notices import notices
from headway_operator.planner.snapshot import Snapshot
from headway_operator.settings import Settings

log = logging.getLogger(__name__)

COALESCE_SECONDS = 0.05
"""Jobs and pods change several times in a row: one look does for all of it."""


class Controller:
    """Takes resources of one cluster to where they want to be.

    ``on_migration``, ``on_migration_gone`` and ``on_owned`` are called with what a watch sees; ``wake`` by anybody.
    """

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        now: Callable[[], datetime],
        witness: Witness = NOBODY,
        sender: Sender | None = None,
    ) -> None:
        """Without a ``sender`` no hook is called, and each message is said to be forbidden."""
        self._cluster = cluster
        self._settings = settings
        self._now = now
        self._witness = witness
        self._queue: WorkQueue[Key] = WorkQueue()
        self._turns = Turns(settings.workers)
        self._pacer = Pacer()
        self._rush = Rush()
        self._follower = LogFollower(cluster, self._on_progress, self._on_event)
        self._decider = Decider()
        self._courier = Courier(sender or NoSender(), self._on_answer, witness.called)
        self._sightings = Sightings()
        self._notices = Notices()
        self._busy: set[Key] = set()
        self._known: dict[Key, tuple[Wish, ...]] = {}
        self._fresh: dict[Key, Migration] = {}
        self._seen: set[Key] = set()
        """What the witness was told of and not yet that it is gone."""

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._resync())
                while True:
                    group.create_task(self._work(await self._queue.get()))
        finally:
            self._decider.close()
            await self._courier.close()
            await self._follower.close()

    def wake(self, key: Key) -> None:
        """Look at this resource."""
        self._busy.add(key)
        self._queue.add(key)

    def on_migration(self, body: Body) -> None:
        """A resource was seen; one that is at rest, or that shows only what we wrote ourselves, is left alone."""
        key = Key(body["metadata"]["namespace"], body["metadata"]["name"])
        is_busy = key in self._busy
        if is_busy and Wish.of(body) in self._known.get(key, ()):
            return
        migration = parse(body)
        self._saw(key, migration)
        if is_fresh(migration) and (not is_busy or key in self._fresh):
            self._fresh[key] = migration
            self._rush.came(self._seconds())
        elif not is_busy and self._may_rest(migration):
            return
        self.wake(key)

    def on_migration_gone(self, body: Body) -> None:
        """A resource was deleted."""
        self._gone(Key(body["metadata"]["namespace"], body["metadata"]["name"]))

    def on_owned(self, body: Body, gone: bool = False) -> None:
        """A Job or pod was seen, changed or is gone; it matters only to a resource that is busy."""
        key = migration_key_of(body)
        if key is not None and key in self._busy and (gone or is_news(body)):
            self._queue.add(key, COALESCE_SECONDS)

    @property
    def waiting(self) -> int:
        """How many resources wait for a worker, to be looked at or to have their report written."""
        return len(self._queue) + self._turns.waiting

    @property
    def open_logs(self) -> int:
        """How many pods' logs are open."""
        return self._follower.open

    @property
    def reopened_logs(self) -> Mapping[str, int]:
        """How often one was opened again, by what became of the stream before."""
        return self._follower.reopened

    def is_busy(self, key: Key) -> bool:
        """Whether anything is left to do for it, as far as was seen."""
        return key in self._busy

    async def reconcile(self, key: Key) -> None:
        """One look at one resource and what follows from it; raises :class:`ClusterError`.

        What is told waits for another turn: with many new resources at once each has its first Job before that.
        """
        self._busy.add(key)
        async with self._turns.one():
            sight = await self._observe(key)
            if sight is None:
                self._gone(key)
                return
            snapshot = sight.snapshot
            self._notices.saw(key, notices(snapshot))
            decision = await self._decider.decide(snapshot)
            self._follower.follow(key, sight.targets)
            self._courier.carry(key, decision.messages, snapshot.migration.status.hooks)
            self._courier.ask(key, decision.questions)
            self._known[key] = Wish.known_after(snapshot.migration, decision)
            done = await act(self._cluster, snapshot.migration, decision, self._settings)
            if done.refused:
                decision = await self._decider.decide(replace(snapshot, refused=done.refused))
            await sweep(self._cluster, snapshot.migration, decision)
            await post(self._cluster, snapshot, self._notices.take(key))
        report = Report(decision.status, done.version, decision.wake_after, decision.given_way)
        wake_after = await self._tell(key, sight, report)
        self._saw(key, replace(snapshot.migration, status=report.status))
        if wake_after is not None:
            self._queue.add(key, max(wake_after.total_seconds(), COALESCE_SECONDS))
        elif is_at_rest(after(snapshot.migration, decision), self._now()):
            self._forget(key)

    async def _tell(self, key: Key, sight: Sight, report: Report) -> timedelta | None:
        """The report of a first look gives way to other first Jobs, even when its turn has come."""
        since = self._seconds()
        while True:
            await asyncio.sleep(self._pause(sight, since))
            async with self._turns.one():
                if self._pause(sight, since) == 0:
                    return await tell(self._cluster, sight.snapshot, report, partial(self._turn, key))

    def _pause(self, sight: Sight, since: float) -> float:
        return self._rush.pause(since, self._seconds()) if sight.is_first else 0.0

    def _may_rest(self, migration: Migration) -> bool:
        """A defect in the answer must not hide the resource: whoever works on it will log and retry."""
        try:
            return is_at_rest(migration, self._now())
        except Exception:
            with about(Key(migration.namespace, migration.name)):
                log.exception("%s/%s: this is a defect of the operator", migration.namespace, migration.name)
            return False

    async def _observe(self, key: Key) -> Sight | None:
        """None when the resource is gone."""
        fresh = self._fresh.pop(key, None)
        if fresh is not None:
            return Sight(Snapshot(self._now(), fresh), is_first=True)
        try:
            migration = parse(await self._cluster.get_migration(key))
        except NotFound:
            return None
        progress, told = self._follower.progress_of(key), self._courier
        sight = await observe(self._cluster, migration, progress, self._now())
        jobs = self._sightings.dated(key, sight.snapshot.jobs, sight.snapshot.now)
        heard = replace(sight.snapshot, jobs=jobs, answers=told.answers(key), polled=told.polled(key))
        return replace(sight, snapshot=heard)

    async def _work(self, key: Key) -> None:
        began = self._seconds()
        try:
            with about(key):
                self._witness.reconciled(await self._try(key), self._seconds() - began)
        finally:
            self._queue.done(key)

    async def _try(self, key: Key) -> str:
        """Reconcile, and see to it that what went wrong is tried again; in a word, how it went."""
        try:
            await self.reconcile(key)
        except Conflict as conflict:
            log.debug("%s/%s: %s", key.namespace, key.name, conflict)
            self._queue.retry(key, at_once=True)
            return "conflict"
        except ClusterError as error:
            log.warning("%s/%s: %s", key.namespace, key.name, error)
            self._queue.retry(key)
            return "error"
        except Exception:
            log.exception("%s/%s: this is a defect of the operator", key.namespace, key.name)
            self._queue.retry(key)
            return "defect"
        self._queue.succeeded(key)
        return "success"

    async def _resync(self) -> None:
        """Looks at everything now and then, for when a watch has gone silent without anybody noticing."""
        while True:
            await asyncio.sleep(self._settings.resync_seconds)
            # What is seen first while the list is on its way may not be in it.
            missing = set(self._seen)
            try:
                for body in await self._cluster.list_migrations():
                    key = Key(body["metadata"]["namespace"], body["metadata"]["name"])
                    missing.discard(key)
                    self._known.pop(key, None)
                    self.on_migration(body)
                for key in missing:
                    self._gone(key)
            except ClusterError as error:
                log.warning("the resources could not be listed: %s", error)

    def _on_progress(self, key: Key) -> None:
        self._queue.add(key, max(self._pacer.wait(key, self._seconds()), COALESCE_SECONDS))

    def _on_answer(self, key: Key, is_awaited: bool) -> None:
        """What nothing waits for is written as seldom as progress."""
        pause = 0.0 if is_awaited else self._pacer.wait(key, self._seconds())
        self._queue.add(key, max(pause, COALESCE_SECONDS))

    def _turn(self, key: Key, is_advisory: bool) -> float:
        if not is_advisory:
            self._pacer.noted(key, self._seconds())
            return 0.0
        delay = self._pacer.wait(key, self._seconds())
        if delay == 0:
            self._pacer.wrote(key, self._seconds())
        return delay

    def _on_event(self, key: Key, event: Event) -> None:
        self._witness.heard(key.namespace, key.name, event)

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def _saw(self, key: Key, migration: Migration) -> None:
        self._seen.add(key)
        self._witness.saw(migration)

    def _gone(self, key: Key) -> None:
        self._seen.discard(key)
        self._witness.gone(key.namespace, key.name)
        self._forget(key)

    def _forget(self, key: Key) -> None:
        self._busy.discard(key)
        self._known.pop(key, None)
        self._fresh.pop(key, None)
        self._queue.forget(key)
        self._pacer.forget(key)
        self._sightings.forget(key)
        self._notices.forget(key)
        self._follower.follow(key, ())
        self._courier.forget(key)
        self._decider.forget(key)
