"""Whether what comes next may begin: every hook at its point knows of it, and those that are asked agree. Pure.

Rule: a Job starts, and a revision runs, only when the messages about it stand in the status that was read. So whoever
dies in between has not lost them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from headway_operator.api.hooks import Hook, HookStatus, HookType, Point, Result
from headway_operator.planner.actions import StartJob
from headway_operator.planner.occasions import Occasion, message_id
from headway_operator.planner.outbox import gone_hooks
from headway_operator.planner.room import Entries
from headway_operator.planner.snapshot import Stage

NO = (Result.REFUSED, Result.FAILED, Result.GONE)
_REASONS = {Result.REFUSED: "HookRefused", Result.FAILED: "HookUnavailable", Result.GONE: "HookUnavailable"}


@dataclass(frozen=True)
class Refusal:
    """A hook that had to agree does not, or cannot be asked."""

    point: Point
    database: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class Desk:
    """The hooks of a specification, and the messages of one run of it."""

    uid: str
    run: str
    hooks: tuple[Hook, ...]
    entries: Entries

    @property
    def by_name(self) -> Mapping[str, Hook]:
        """The hooks by their names."""
        return {hook.name: hook for hook in self.hooks}

    def listeners(self, occasion: Occasion) -> tuple[Hook, ...]:
        """The hooks that are to hear of it: those of its point that have not asked to be left alone."""
        gone = gone_hooks(self.entries, self.run)
        return tuple(hook for hook in self.hooks if occasion.concerns(hook) and hook.name not in gone)

    def entry(self, hook: Hook, occasion: Occasion) -> HookStatus | None:
        """The message about it to this hook."""
        wanted = message_id(self.uid, self.run, hook.name, occasion)
        return next((entry for entry in self.entries if entry.id == wanted), None)

    def concerned(self, occasion: Occasion) -> tuple[Hook, ...]:
        """Those without whom it may not begin. Who only listens hears of revisions in order, in its turn."""
        return tuple(
            hook
            for hook in self.listeners(occasion)
            if hook.holds or occasion.point is not Point.BEFORE_REVISION
        )

    def may_pass(self, occasion: Occasion) -> bool:
        """Whether everybody knows of it, and nobody who is asked holds it."""
        return all(self._lets_pass(hook, occasion) for hook in self.concerned(occasion))

    def held_by(self, occasion: Occasion) -> str:
        """Which hook is waited for and what it says, for people."""
        for hook in self.concerned(occasion):
            if not self._lets_pass(hook, occasion):
                entry = self.entry(hook, occasion)
                said = f": {entry.message}" if entry is not None and entry.message else ""
                return f"waits for hook {hook.name} ({occasion.point}){said}"
        return ""

    def refusals(self) -> Iterator[Refusal]:
        """Of this run."""
        hooks = self.by_name
        for entry in self.entries:
            hook = hooks.get(entry.name)
            is_asked = entry.type in (HookType.CHECK, HookType.GATE)
            if hook is None or entry.run != self.run or not is_asked:
                continue
            if entry.result in NO and hook.must_answer:
                yield Refusal(entry.point, entry.database, _REASONS[entry.result], _sentence(entry))

    def _lets_pass(self, hook: Hook, occasion: Occasion) -> bool:
        entry = self.entry(hook, occasion)
        if entry is None:
            return False
        if not hook.holds or entry.type is HookType.NOTIFY:
            return True
        return entry.result is Result.DELIVERED or (entry.result in NO and not hook.must_answer)


@dataclass(frozen=True)
class Passage:
    """Which of the Jobs may start, what has to be told before the others, and what holds each database."""

    starts: tuple[StartJob, ...]
    occasions: tuple[Occasion, ...] = ()
    held: tuple[tuple[str, str], ...] = ()


def let_through(desk: Desk, starts: Iterable[StartJob], has_begun: bool, fresh: frozenset[str]) -> Passage:
    """``has_begun``: the run has started a Job that changes something; ``fresh``: databases that had none yet."""
    passing: list[StartJob] = []
    occasions: list[Occasion] = []
    held: list[tuple[str, str]] = []
    for start in starts:
        missing = next((one for one in _before(start, has_begun, fresh) if not desk.may_pass(one)), None)
        if missing is None:
            passing.append(start)
        else:
            occasions.append(missing)
            held.append((start.database, desk.held_by(missing)))
    return Passage(tuple(passing), tuple(dict.fromkeys(occasions)), tuple(held))


def _before(start: StartJob, has_begun: bool, fresh: frozenset[str]) -> Iterator[Occasion]:
    """What happens before this Job, in order."""
    if start.stage is Stage.PLAN:
        return
    if not has_begun:
        yield Occasion(Point.BEFORE_MIGRATION)
    if start.database in fresh:
        yield Occasion(Point.BEFORE_DATABASE, start.database)


def _sentence(entry: HookStatus) -> str:
    which = f" of revision {entry.revision}" if entry.revision else ""
    return f"Hook {entry.name} at {entry.point}{which}: {entry.message}"
