"""The model cluster with hooks: revisions one by one, a receiver that counts, and answers that die with the operator.

What a runner tells is lost when the test says so; that it asks for a revision is told again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from headway_contract.result import Outcome, Plan, RunResult
from headway_operator.api.hooks import Hook, HookType, Point
from headway_operator.api.migration import Migration
from headway_operator.planner.actions import Decision
from headway_operator.planner.deliveries import Answer, Answered, Delivery, HookAnswer, Polled
from headway_operator.planner.snapshot import JobProgress, JobView, Snapshot, Stage
from support.builders import a_migration, a_plan, a_result
from support.model import ModelCluster

BEFORE = (Point.BEFORE_MIGRATION, Point.BEFORE_DATABASE, Point.BEFORE_REVISION)
TOLD = tuple(point for point in Point if point is not Point.DURING_BACKFILL)

YES = Answered(Answer.ACCEPTED, 204)
NOT_YET = Answered(Answer.NOT_YET, 403, sentence="the receiver answered 403")
NO = Answered(Answer.REFUSED, 409, sentence="the receiver answered 409")
GONE = Answered(Answer.GONE, 410, sentence="the receiver answered 410")
BROKEN = Answered(Answer.ERROR, 0, sentence="no connection")


def a_hook(name: str = "chat", kind: str = "Notify", points: Sequence[Point] = TOLD, **fields: Any) -> Hook:
    """A hook at these points."""
    return Hook(
        **{"name": name, "type": HookType(kind), "points": tuple(points), "url": "https://x", **fields}
    )


class Receiver:
    """Keeps what came; ``answer`` decides what it says."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.answer: Callable[[Delivery], Answered] = lambda delivery: YES

    def take(self, delivery: Delivery) -> Answered:
        """One attempt."""
        answered = self.answer(delivery)
        if answered.answer is not Answer.ERROR:
            self.got.append(delivery)
        return answered

    def told(self, hook: str) -> list[str]:
        """What this hook was told, each message once, in the order of first arrival: ``Point database revision``."""
        first = {one.id: one for one in reversed(self.got) if one.hook == hook}
        ordered = [one for one in self.got if first.get(one.id) is one]
        return [about(one) for one in ordered]

    def ids(self, hook: str) -> set[str]:
        """The ids of all that came to this hook."""
        return {one.id for one in self.got if one.hook == hook}


def about(delivery: Delivery) -> str:
    """``AfterRevision main r1``."""
    database, revision = delivery.data.get("database") or {}, delivery.data.get("revision", "")
    return " ".join(filter(None, (delivery.point.value, database.get("name", ""), revision)))


class HookedCluster(ModelCluster):
    """Each database has ``revisions`` of them for each image; a Job applies one with each :meth:`step`."""

    def __init__(self, *databases: str, hooks: Sequence[Hook] = (), revisions: int = 3, **spec: Any) -> None:
        super().__init__(a_migration(*(databases or ("main",)), hooks=tuple(hooks), **spec))
        self.receiver = Receiver()
        self.count = revisions
        self.applied: dict[str, list[str]] = {}
        self.answers: dict[tuple[str, int], Answered] = {}
        self.polled: dict[tuple[str, str], Answered] = {}
        self.loses_events = False
        self.by_job: dict[str, list[str]] = {}

    def snapshot(self) -> Snapshot:
        """With what came back from the receiver."""
        answers = tuple(HookAnswer(one, attempt, told) for (one, attempt), told in self.answers.items())
        polled = tuple(Polled(hook, subject, told) for (hook, subject), told in self.polled.items())
        return replace(super().snapshot(), answers=answers, polled=polled)

    def execute(self, decision: Decision, read: Migration, crash_after: int | None = None) -> None:
        """Messages go out beside the actions; a crash takes what came back with it.

        What came back for a message that the status has no more is forgotten.
        """
        held = {one.id for one in read.status.hooks}
        self.answers = {which: told for which, told in self.answers.items() if which[0] in held}
        for batch in decision.messages:
            for letter in batch.letters:
                if (letter.delivery.id, letter.attempt) in self.answers:
                    break
                told = self.receiver.take(letter.delivery)
                self.answers[letter.delivery.id, letter.attempt] = told
                if told.answer is not Answer.ACCEPTED:
                    break
        self.polled = {(one.hook, one.subject): self.receiver.take(one) for one in decision.questions}
        try:
            super().execute(decision, read, crash_after)
        finally:
            if crash_after is not None:
                self.lose_memory()

    def lose_memory(self) -> None:
        """The operator is killed."""
        self.answers.clear()
        self.polled.clear()
        self.progress.clear()

    def wanted(self, image: str) -> list[str]:
        """The revisions of an image, after those of the images before it."""
        return [f"{image.rpartition(':')[2]}-{number}" for number in range(1, self.count + 1)]

    def pending(self, database: str, image: str) -> list[str]:
        """What of them the database lacks."""
        applied = frozenset(self.applied.get(database, ()))
        return [one for one in self.wanted(image) if one not in applied]

    def current(self, database: str) -> tuple[str, ...]:
        """What its version table has."""
        return tuple(self.applied.get(database, [])[-1:]) or ("base0",)

    def step(self, name: str) -> None:
        """The runner of this Job goes on: it asks, applies a revision, stops, or is done.

        One whose Job is removed may have begun a revision by then; after that it stops, for it is sent SIGTERM.
        """
        job = self.jobs[name]
        is_ended = job.deleting and job.pod is not None
        self.start_pod(name)
        job = self.jobs[name]
        assert job.pod is not None
        control = job.pod.control
        pending = self.pending(job.database, self.images[name]) if job.stage is not Stage.PLAN else []
        if not pending or control.stop or is_ended:
            self.finish(name)
            return
        progress = self.progress.get(name) or JobProgress(name, 1)
        if control.pause:
            return
        asks = self.resource.spec is not None and self._asks(name)
        if asks and control.may_go != pending[0]:
            self.progress[name] = replace(progress, asks=pending[0])
            return
        self.applied.setdefault(job.database, []).append(pending[0])
        self.by_job.setdefault(name, []).append(pending[0])
        if self.loses_events:
            self.progress[name] = replace(progress, asks="")
            return
        self.progress[name] = replace(
            progress,
            asks="",
            revision=pending[0],
            applied=(*progress.applied, pending[0]),
            left=len(pending) - 1,
        )

    def is_let_go(self, job: JobView) -> bool:
        """Its runner stops before its pod goes."""
        return job.pod is None or not job.is_active

    def _asks(self, name: str) -> bool:
        return self._asked.get(name, False)

    def _create(self, start: Any, read: Migration) -> None:
        super()._create(start, read)
        assert read.spec is not None
        self._asked.setdefault(start.name, read.spec.asks_before_revisions)

    @property
    def _asked(self) -> dict[str, bool]:
        return self.__dict__.setdefault("_asked_by_job", {})

    def _result(self, job: JobView) -> RunResult:
        image = self.images[job.name]
        if job.stage is Stage.PLAN:
            if job.pod is not None and job.pod.control.stop:
                return a_result(Outcome.STOPPED)
            assert self.resource.spec is not None
            names = [one.name for one in self.resource.spec.databases]
            found = a_plan(**{name: self.pending(name, image) for name in names}).databases
            return a_result(plan=Plan(tuple(replace(one, current=self.current(one.name)) for one in found)))
        pending, own = self.pending(job.database, image), tuple(self.by_job.get(job.name, []))
        facts: dict[str, Any] = {
            "database": job.database,
            "to_revision": self.current(job.database),
            "applied": own[-2:],
            "applied_count": len(own),
            "pending_count": len(pending),
        }
        if (job.database, image) in self.broken:
            return a_result(failure="RevisionFailed", **facts)
        if pending:
            return a_result(Outcome.STOPPED, **facts)
        self.heads[job.database] = image
        return a_result(**facts)
