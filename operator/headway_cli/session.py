"""One run without a cluster: the operator's own controller over local processes, watched by an output.

Ctrl-C, SIGTERM and SIGHUP suspend the resource, as a person would in a cluster: the planner then stops the Job at its
next safe point. A second one cancels what is running.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from headway_cli.board import Board, Spans, board_of
from headway_cli.ending import Ending, waits_for_approval
from headway_cli.outputs import Output
from headway_cli.report import Item, item_of_event, items_of_status
from headway_cli.review_told import items_of_review
from headway_contract.events import RunStarted
from headway_contract.wire import from_line
from headway_operator.api import labels
from headway_operator.api.migration import LintSettings, parse
from headway_operator.api.status import Status
from headway_operator.cluster.interface import Body
from headway_operator.cluster.local import LocalCluster, Site
from headway_operator.cluster.telling import told
from headway_operator.controller.courier import Sender
from headway_operator.controller.loop import Controller
from headway_operator.planner.snapshot import JobProgress
from headway_operator.settings import Settings

SETTINGS = Settings(workers=1, grace_seconds=12)
"""A person waits for the end: half of the grace for the safe point, then the statement is cancelled."""
INSIST_SECONDS = 0.5
"""Between the two signals that mean "now" to a runner."""


class Session:
    """Runs one resource to its end."""

    def __init__(
        self,
        resource: dict[str, Any],
        site: Site,
        output: Output,
        now: Callable[[], datetime],
        sender: Sender | None = None,
        *,
        stops_at_the_gate: bool = False,
    ) -> None:
        """``resource`` is checked; ``output`` is told what happens; ``sender`` calls hooks, if there are any.

        ``stops_at_the_gate``: what waits is left.
        """
        self._stops_at_the_gate = stops_at_the_gate
        self._output = output
        self._now = now
        self._spans = Spans(now(), {})
        self._progress: dict[str, JobProgress] = {}
        self._status = Status()
        self._logs: dict[str, Path] = {}
        self._interrupts = 0
        self._over = asyncio.Event()
        self._cluster = LocalCluster(resource, site, self)
        spec = parse(resource).spec
        self._attempts = 1 if spec is None else spec.retry.attempts
        self._lint = LintSettings() if spec is None else spec.lint
        self._has_hooks = spec is not None and bool(spec.hooks)
        self._controller = Controller(self._cluster, SETTINGS, now, sender=sender)

    async def run(self) -> Ending:
        """Until it has succeeded, has failed, or was interrupted; nothing runs on after it."""
        self._listen()
        tasks = [asyncio.create_task(self._controller.run()), asyncio.create_task(self._draw())]
        ending = asyncio.create_task(self._over.wait())
        try:
            self._controller.on_migration(self._cluster.migration)
            await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._cluster.close(SETTINGS.grace_seconds)
            for task in (*tasks, ending):
                task.cancel()
            await self._end(tasks)
        return Ending(
            self._status,
            self._board(),
            self._interrupts > 0 and not self._is_settled(),
            self._logs,
            self._stops_at_the_gate,
        )

    def migration_changed(self, body: Body) -> None:
        """Part of ``Watcher``: tell what is new in the status."""
        self._controller.on_migration(body)
        new = parse(body).status
        self._spans = self._spans.after(new, self._now())
        for item in items_of_status(self._status, new, self._attempts):
            self._output.tell(item)
            if item.kind == "Planned":
                for found in items_of_review(self._status, new, self._lint):
                    self._output.tell(found)
        self._status = new
        self._check()

    def owned_changed(self, body: Body) -> None:
        """Part of ``Watcher``."""
        database = body["metadata"]["labels"].get(labels.DATABASE, "")
        self._logs[database] = self._cluster.log_of(body["metadata"]["name"])
        self._controller.on_owned(body)
        self._check()

    def line_written(self, job: Body, line: str) -> None:
        """Part of ``Watcher``: tell what the runner tells."""
        envelope = from_line(line)
        if envelope is None:
            return
        if isinstance(envelope.event, RunStarted) and self._has_hooks:
            # Its log is followed from the next look on: what hooks are asked and told depends on it.
            self._controller.wake(self._cluster.key)
        name = job["metadata"]["name"]
        progress = told(self._progress.get(name) or JobProgress(name), envelope)
        self._progress[name] = progress
        database = job["metadata"]["labels"].get(labels.DATABASE, "")
        known = self._status.database(database)
        takes_back = known is not None and known.takes_back
        item = item_of_event(database, envelope.event, progress, takes_back)
        if item is not None:
            self._output.tell(item)

    def interrupt(self) -> None:
        """Stop at the next safe point; asked again: now."""
        self._interrupts += 1
        if self._interrupts == 1:
            self._output.tell(
                Item(
                    "Interrupted",
                    "stopping at the next safe point, after the batch or the revision that is running; "
                    "Ctrl-C again cancels it",
                )
            )
            self._cluster.suspend()
            return
        if self._interrupts == 2:
            self._output.tell(Item("Interrupted", "cancelling what runs"))
        self._cluster.terminate_jobs()
        asyncio.get_running_loop().call_later(INSIST_SECONDS, self._cluster.terminate_jobs)

    def _listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.interrupt)

    async def _draw(self) -> None:
        """Time passes in a live table, whether or not anything happens."""
        while self._output.interval_seconds is not None:
            self._output.show(self._board())
            await asyncio.sleep(self._output.interval_seconds)
        await self._over.wait()

    def _board(self) -> Board:
        migration = parse(self._cluster.migration)
        names = tuple(database.name for database in migration.spec.databases) if migration.spec else ()
        return board_of(
            migration.name, names, self._status, self._progress, self._spans, self._now(), self._attempts
        )

    def _check(self) -> None:
        is_waiting = waits_for_approval(self._status)
        if self._is_settled() or is_waiting or (self._interrupts and self._is_held()):
            self._over.set()

    def _is_settled(self) -> bool:
        """It is decided how it ends, and everybody who wants to know was told, or could not be."""
        run = self._status.run
        if any(message.result.is_open for message in self._status.hooks) or (run and run.unsent):
            return False
        if self._stops_at_the_gate and self._status.is_ready(self._status.observed_generation):
            return True
        succeeded = self._status.condition("Succeeded")
        return succeeded is not None and succeeded.status in ("True", "False")

    def _is_held(self) -> bool:
        """Suspended, and nothing runs any more, and the status says so."""
        succeeded = self._status.condition("Succeeded")
        is_held = succeeded is not None and succeeded.reason == "Suspended"
        working = any(database.phase.is_working for database in self._status.databases)
        return is_held and not working and not self._cluster.has_running_jobs

    @staticmethod
    async def _end(tasks: list[asyncio.Task[None]]) -> None:
        """A task that failed is a defect, and its error is not hidden."""
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
