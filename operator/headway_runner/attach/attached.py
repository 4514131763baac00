"""Inside the application's own command: the same look and the same run, in a process that is not ours.

Rule: whenever something has changed, what is known so far is reported. The command may end in any way, so its last
report counts and nothing is left to be said at its end.
"""

import os
import select
import signal
import threading
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from headway_contract.events import Event, RevisionApplied, RevisionStarted
from headway_contract.result import Failure
from headway_runner.attach.asked import Asked
from headway_runner.attach.board import VARIABLE, Board, SharedSender
from headway_runner.attach.upgrade_key import UpgradeKeys
from headway_runner.looks.inspection import Inspector
from headway_runner.processes.child import Link, interrupt
from headway_runner.processes.level import Level
from headway_runner.processes.task import Missed, Report
from headway_runner.project.alembic_env import take_part
from headway_runner.project.config import refuse_doubled_revisions
from headway_runner.run.application import Applier
from headway_runner.run.participant import call_guarded
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.secrecy import know, learn_environment

POLL_SECONDS = 0.2
_KEY = "_headway_key"


class BoardOrders:
    """Orders from the board: a level that each process of the command sees."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._obeyed = b""

    def take(self) -> bytes:
        """The next order that stands on the board and was not taken yet."""
        while not self.end_within(POLL_SECONDS):
            order = self._board.order()
            if order != self._obeyed:
                self._obeyed = order
                return order
        return b""

    def end_within(self, seconds: float) -> bool:
        """The lifeline is readable only when it has ended."""
        return bool(select.select([self._board.lifeline], [], [], seconds)[0])


class AttachedLink(Link):
    """To the runner, from a process of the command or one that it has forked."""

    def __init__(self, board: Board) -> None:
        self._board = board
        super().__init__(SharedSender(board), BoardOrders(board), Level(board.level))
        self._process = 0
        self.report: Any = lambda: None

    def emit(self, *events: Event) -> None:
        """Hand over events, and with a revision's begin and end what is known by then."""
        super().emit(*events)
        if any(isinstance(event, (RevisionStarted, RevisionApplied)) for event in events):
            self.report()

    @property
    def stop_requested(self) -> bool:
        """As it stands on the board now, also when it was put up before this process began."""
        return bool(self._board.order())

    @stop_requested.setter
    def stop_requested(self, _: bool) -> None:
        """The board is the truth."""

    def tell(self, report: Report) -> None:
        """Hand over what is known so far."""
        self._words.send(report)

    def listen_here(self) -> None:
        """Take orders in this process. Its signals stay its own: nobody but us knows of it."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        # A forked process has not inherited the thread.
        self._orders = BoardOrders(self._board)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGUSR1, interrupt)
        self.obey_in_background()


class Attached:
    """Takes part in everything that Alembic does in this process."""

    def __init__(self, board: Board) -> None:
        attachment = board.attachment()
        know(*attachment.known)
        learn_environment(os.environ)
        self._link = AttachedLink(board)
        kind = Inspector if attachment.looks else Applier
        self._participant: Inspector | Applier = kind(self._link, attachment.task)
        self._asked = Asked(attachment.task)
        self._told: BaseException | None = None
        self._swallowed: Failure | None = None
        self._has_failed = False
        self._keys = UpgradeKeys()
        self._looked: dict[str, None] = {}
        self._missed: dict[str, Failure] = {}
        self._link.report = lambda: self._report(None)

    def install(self) -> None:
        """Listen to all engines, and take part in all contexts, for the rest of this process."""
        refuse_doubled_revisions()
        self._participant.install()
        take_part(self._participant)
        run, leave = EnvironmentContext.run_migrations, EnvironmentContext.__exit__

        def run_migrations(environment: EnvironmentContext, **arguments: Any) -> None:
            error: BaseException | None = None
            known = self._participant.places_known
            try:
                run(environment, **arguments)
            except BaseException as raised:
                error = raised
                raise
            finally:
                if self._participant.places_known > known:
                    # From here on it is told by its place whether that came to its end.
                    self._looked[environment.__dict__[_KEY]] = None
                self.ends(environment, error)

        def exits(environment: EnvironmentContext, *raised: Any) -> None:
            leave(environment, *raised)
            self._keys.ends(environment, environment.__dict__[_KEY])
            self.ends(environment, raised[1] if len(raised) > 1 else None)

        setattr(EnvironmentContext, "run_migrations", run_migrations)  # noqa: B010
        setattr(EnvironmentContext, "__exit__", exits)  # noqa: B010

    def opened(self, script: ScriptDirectory) -> None:
        """A history was opened, perhaps to compare its heads with those of the database."""
        if self._asked.note_script(script):
            self._answered()

    def answers(self, context: MigrationContext, heads: tuple[str, ...]) -> None:
        """Alembic has read the heads of a database for whoever asked."""
        if isinstance(self._participant, Inspector) and self._asked.note_heads(context, heads):
            self._answered()

    def _answered(self) -> None:
        """Report, unless something that the command may yet hide was told before."""
        if isinstance(self._participant, Inspector) and not self._has_failed:
            self._participant.answers = self._asked.views()
            self._report(None)

    def begins(self, environment: EnvironmentContext) -> None:
        """Alembic is about to do something."""
        environment.__dict__[_KEY] = self._keys.begins(environment)
        self._link.listen_here()

    def ends(self, environment: EnvironmentContext, error: BaseException | None) -> None:
        """Alembic has done something, or failed to: report. The command may hide an error, so it is kept."""
        if isinstance(error, SystemExit) and error.code in (0, None):
            error = None
        only_looks = "destination_rev" not in environment.context_opts
        if error is not None and (error is self._told or only_looks):
            return
        raised = error
        if error is None and not only_looks:
            error = call_guarded(self._participant.check_something_ran)
        elif not isinstance(error, RunFailed):
            self._told = error
        # What happens in another database than the one asked for is no matter of this run.
        is_elsewhere = environment.__dict__.get("_headway_wanted") is False
        self._report(error, "" if raised is None or is_elsewhere else environment.__dict__[_KEY])

    def _report(self, error: BaseException | None, raised_by: str = "") -> None:
        outcome = self._participant.report(error)
        if raised_by and outcome.failure is not None:
            self._missed[raised_by] = outcome.failure
        self._has_failed = error is not None
        if error is not None and not isinstance(error, RunFailed):
            self._swallowed = outcome.failure
        looked, missed = tuple(self._looked), tuple(Missed(*one) for one in self._missed.items())
        self._link.tell(Report(os.getpid(), outcome, self._swallowed, looked, missed))


_joining = threading.Lock()
_joined: list[Attached] = []


def join() -> Attached:
    """Take part, once in a process; raises OSError when the runner cannot be reached."""
    with _joining:
        if not _joined:
            attached = Attached(Board.of_this_process(os.environ[VARIABLE]))
            attached.install()
            _joined.append(attached)
    return _joined[0]
