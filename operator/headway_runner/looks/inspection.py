"""The plan and the verify pass: through env.py like a run, but nothing is applied and nothing written.

The modules that gather facts are loaded where they are asked for.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import Engine

from headway_contract.planned import distinct, is_relative
from headway_contract.request import Mode, Part
from headway_contract.result import Failure
from headway_runner.connections.sessions import Sessions
from headway_runner.locks.lock import held, lock_of
from headway_runner.looks.other_databases import told_others
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task
from headway_runner.project import history
from headway_runner.project.alembic_env import Step, destination_of
from headway_runner.project.forks import told_forks
from headway_runner.project.hints import with_hint
from headway_runner.project.marks import those_in_the_middle
from headway_runner.project.own_target import hold_to_upgrades, what_was_planned
from headway_runner.run.agreement import hold_to
from headway_runner.run.participant import ContextGuard, pass_through
from headway_runner.run.way_back import tells_a_way_back
from headway_runner.statements.index_catalog import building, left
from headway_runner.statements.invalid_indexes import invalid_indexes
from headway_runner.statements.transactions import notice_local_settings
from headway_runner.words import states
from headway_runner.words.failures import failure_of, is_not_there_yet, print_error
from headway_runner.words.wording import describe, sqlstate

if TYPE_CHECKING:
    from headway_runner.facts.gather import Sight

NOTHING_WAS_LOOKED_AT = "The pass ended before env.py had configured a migration context."
GOES_ON = (
    "env.py hides what a migration context raises and goes on to the others. A run ends with that failure: {}"
)
REFUSED = Failure("ProjectFailed", "env.py writes to the database.", sqlstate=states.READ_ONLY)
SETTLE_SECONDS = 8.0
"""PostgreSQL looks every two seconds whether the client of a running statement is still there."""


class Inspector(ContextGuard):
    """Notes what each context would do."""

    def __init__(self, link: Link, task: Task) -> None:
        super().__init__(link, task, Sessions(task.request, task.read_only, task.database.name))
        self.views: list[Inspection] = []
        self.answers: list[Inspection] = []
        """What a command has asked Alembic by itself: it counts when the command does not upgrade."""
        self.sights: list["Sight"] = []
        """Of the contexts that lack revisions, when their facts are asked for."""
        self.loading = False
        self._local_settings: list[str] = []
        self._was_refused = False
        """The server refused a write because the session is read-only, whether env.py told so or hid it."""

    def install(self) -> None:
        """Listen to all engines of this process."""
        self._sessions.install()
        self._local_settings = notice_local_settings()
        event.listen(Engine, "handle_error", self._note_a_refusal)

    def _note_a_refusal(self, context: Any) -> None:
        if sqlstate(context.original_exception) == states.READ_ONLY:
            self._was_refused = True

    def pass_context(self, context: MigrationContext, migrate: Callable[[], None]) -> None:
        """Steps() yields none. After an interruption, first let the session that holds the lock end."""
        self.come_to(context)
        if not self._task.settle:
            migrate()
            return
        with held(lock_of(context), SETTLE_SECONDS, lambda seconds: seconds < SETTLE_SECONDS):
            migrate()

    def why(self, error: BaseException) -> Failure | None:
        """With what may help."""
        return with_hint(failure_of(error, loading=self.loading), error, self._task)

    def steps(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Iterator[Step]:
        """Look instead of yielding. What has no target looks by itself, as ``alembic current`` does."""
        if not destination_of(context) and not compute(heads):
            return iter(())
        if self._task.reached and set(heads) == set(self._task.reached):
            view = Inspection(current=heads)
        else:
            self.loading = True
            history.load(script)
            self.loading = False
            view = (self._view_of_command if self._task.request.command else self._view)(
                context, script, heads, compute
            )
        indexes = invalid_indexes(context.connection) if context.connection is not None else ()
        notices = (*view.notices, *building(indexes))
        view = replace(view, invalid_indexes=left(indexes), notices=notices, libpq=tells_a_way_back(context))
        if view.pending and self._task.request.tells_facts and self._task.request.mode is Mode.PLAN:
            from headway_runner.facts.gather import see

            asks_for_all = "heads" in (self._task.target, view.absolute_target)
            sight = see(context, script, heads, compute(heads), view.target, asks_for_all)
            view = self._with_facts(view, sight)
        place = self.place or self.come_to(context)
        self.endings.end(place)
        view = replace(view, places=(place.shown,) if view.pending else (), contexts=1, seen=(place,))
        self.views.append(view)
        return iter(())

    def _with_facts(self, view: Inspection, sight: "Sight") -> Inspection:
        """Of a command only what its files say: nothing is tried inside of a process that is not ours."""
        if self._task.request.command:
            from headway_runner.facts.gather import read_files

            return replace(view, facts=read_files(sight, len(self._task.request.databases)))
        self.sights.append(sight)
        return view

    @property
    def ran(self) -> bool:
        """Whether a context was looked at."""
        return bool(self.views)

    def report(self, error: BaseException | None) -> Inspection:
        """What was found; ``error`` is what env.py raised."""
        if self._has_seen_enough(error):
            found = self._found()
            return replace(found, starts=(), notices=(*found.notices, *self._why_not_all(error)))
        if self._was_refused and self._task.read_only:
            return Inspection(identity=self.identity, failure=REFUSED)
        if error is not None:
            print_error(error)
            # A command may hide it, and try again in another process.
            return Inspection(
                identity=self.identity, failure=self.why(error), not_ended=self.endings.not_ended
            )
        # Of a command another process may have looked, and one may only have asked for the history.
        if not self.views and not self._task.request.command:
            return Inspection(
                identity=self.identity, failure=Failure("NeverConfigured", NOTHING_WAS_LOOKED_AT)
            )
        ambiguous = _ambiguity(self._task.target, self.views)
        if ambiguous is not None:
            return Inspection(identity=self.identity, failure=ambiguous)
        hidden = self.endings.hidden
        if hidden is None:
            return self._found()
        if self._task.request.command:
            # Another process of it may try again.
            return replace(self._found(), not_ended=self.endings.not_ended)
        if not self._leaves_it_to_the_run(hidden):
            return Inspection(identity=self.identity, failure=hidden)
        found = self._found()
        warnings = (GOES_ON.format(hidden.message), *found.warnings)
        return replace(found, warnings=warnings, not_ended=self.endings.not_ended)

    def _leaves_it_to_the_run(self, hidden: Failure) -> bool:
        """Env.py goes on to other contexts, and something is pending there: that is done before it fails."""
        is_before_a_run = not self._task.contexts and hidden.name == "Swallowed"
        return is_before_a_run and any(view.pending for view in self.views)

    def _found(self) -> Inspection:
        found = merged(self.views or self.answers)
        is_plan = self._task.request.mode is Mode.PLAN
        others = told_others(self.others, self._task.request.databases) if is_plan else ()
        return replace(
            found,
            identity=self.identity,
            one_transaction=bool(self._local_settings),
            warnings=(*others, *found.warnings),
        )

    def _has_seen_enough(self, error: BaseException | None) -> bool:
        """Env.py failed behind its revisions: because they are not applied yet, or because this pass may not write.

        Before a run something must be pending, so that the look after it decides; that one must see all contexts.
        """
        if self._task.contexts:
            return self._was_refused and self._task.read_only and len(self.views) >= self._task.contexts
        is_pending = any(view.pending for view in self.views)
        return error is not None and is_pending and is_not_there_yet(error)

    def _why_not_all(self, error: BaseException | None) -> tuple[str, ...]:
        if self._task.contexts or error is None:
            return ()
        return (
            f"What env.py does behind its revisions could not be tried before they are applied: {describe(error)}",
        )

    def _view(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Inspection:
        self.loading = True
        hold_to(self._task.database.planned, self._task.target, script, heads, compute)
        self.loading = False
        ahead = _ahead(script, heads)
        if ahead is not None:
            return ahead
        target = self._task.target
        relative = is_relative(target)
        resolved = () if relative else history.resolve(script, target, [])
        steps = compute(heads)
        if relative:
            resolved = history.resolve(script, target, steps)
        return Inspection(
            current=heads,
            target=resolved,
            absolute_target=resolved[0] if relative else target,
            **self._parted(steps, told_forks(script, (target,), steps)),
            past_target=not steps
            and not history.is_symbolic(target)
            and history.is_past(script, heads, resolved),
        )

    def _parted(self, steps: list[Step], notices: tuple[str, ...]) -> dict[str, Any]:
        """What this task would run of the steps, what it leaves for behind the gate, and what is odd about them."""
        shown = history.all_pending(steps)
        leaves = self._task.request.part is Part.BEFORE_DEPLOY
        return {
            "pending": tuple(one for one in shown if not (leaves and one.post_deploy)),
            "post_deploy": tuple(one for one in shown if leaves and one.post_deploy),
            "notices": notices,
            "warnings": those_in_the_middle(steps),
        }

    def _view_of_command(
        self,
        context: MigrationContext,
        script: ScriptDirectory,
        heads: tuple[str, ...],
        compute: Callable[[tuple[str, ...]], list[Step]],
    ) -> Inspection:
        """The same with the command's own target, and whatever it may be held to by its plan."""
        ahead = _ahead(script, heads)
        if ahead is not None:
            return ahead
        targets = destination_of(context)
        steps = compute(heads)
        hold_to_upgrades(targets, steps)
        resolved = tuple(one for target in targets for one in history.resolve(script, target, steps))
        return Inspection(
            current=heads,
            target=resolved,
            absolute_target=",".join(targets),
            **self._parted(steps, told_forks(script, targets, steps)),
            past_target=not steps
            and not all(map(history.is_symbolic, targets))
            and history.is_past(script, heads, resolved),
            replanned=what_was_planned(self._task.database.planned, script, heads, compute),
        )


def inspect(link: Link, task: Task) -> Inspection:
    """A phase for a process of its own: probe (once), then look through env.py."""
    inspector = Inspector(link, task)
    inspector.install()
    found = inspector.report(pass_through(link, task, inspector))
    if found.failure is not None or not inspector.sights:
        return found
    # From here on the revisions' own code runs: whatever it does to this process, the look stands.
    link.tell_before(found)
    from headway_runner.facts.gather import gather

    return replace(found, facts=gather(inspector.sights, len(task.request.databases)))


def _ahead(script: ScriptDirectory, heads: tuple[str, ...]) -> Inspection | None:
    """The view of a database at revisions that the image does not contain; None: it knows them all."""
    unknown = tuple(head for head in heads if not history.knows(script, head))
    if not unknown:
        return None
    return Inspection(current=heads, unknown=unknown, image_heads=tuple(sorted(script.get_heads())))


def _ambiguity(target: str, views: list[Inspection]) -> Failure | None:
    """A relative target that means different revisions in different contexts would leave some of them behind."""
    meant = sorted({view.absolute_target for view in views if view.absolute_target})
    if not is_relative(target) or len(meant) < 2:
        return None
    return Failure(
        "InvalidTarget",
        f"env.py configures several contexts, and {target} means {' in one and '.join(meant)} in another.",
    )


def merged(views: list[Inspection]) -> Inspection:
    """One view of all contexts (a tenant loop has many); each fact at its first place."""

    def joined(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one for view in views for one in getattr(view, name)))

    return Inspection(
        current=joined("current"),
        starts=distinct(start for view in views for start in view.starts or (view.current,)),
        unknown=joined("unknown"),
        image_heads=joined("image_heads"),
        target=joined("target"),
        absolute_target=next((view.absolute_target for view in views if view.absolute_target), ""),
        pending=joined("pending"),
        post_deploy=joined("post_deploy"),
        places=tuple(place for place in joined("places") if place),
        replanned=joined("replanned"),
        contexts=sum(view.contexts for view in views),
        seen=joined("seen"),
        libpq=all(view.libpq for view in views),
        past_target=any(view.past_target for view in views),
        invalid_indexes=joined("invalid_indexes"),
        notices=joined("notices"),
        warnings=joined("warnings"),
        facts=next((view.facts for view in views if view.facts is not None), None),
        asked=joined("asked"),
        behind=any(view.behind for view in views),
    )
