"""Where a run is shown: a live table on a terminal, timestamped lines for people's logs, JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.constrain import Constrain
from rich.live import Live
from rich.text import Text

from headway_cli.board import Board
from headway_cli.ending import Ending
from headway_cli.live import LiveTable
from headway_cli.report import PACED_KINDS, QUIET_KINDS, Item
from headway_cli.summary import last_item, summary
from headway_cli.unread import Unread
from headway_contract.texts import IDENTIFIERS
from headway_operator.planner.explain import stamp

Mask = Callable[[str], str]
_ECHO_COLUMNS = 4
"""Left free at the right: a terminal's echo of Ctrl-C (``^C``) would wrap there and shift the table by a line."""
_NO_TEXTS = IDENTIFIERS | {"digest", "reason", "phase", "job", "result"}
"""Details by which programs tell things apart: never masked."""
_ABOVE_THE_TABLE = ("Notice", "Interrupted", "BackfillFinished", "LintFindings", "LintFinding")
GIVE_UP = "It is tried again; Ctrl-C gives it up."
PACE = timedelta(seconds=5)
"""Between two plain lines of one backfill."""


class Output(Protocol):
    """Shows one run: within its context what happens, after it the conclusion."""

    interval_seconds: float | None
    """How often ``show`` is called; None: never."""

    def __enter__(self) -> object:
        """The run begins."""

    def __exit__(self, *_: object) -> None:
        """The run has ended."""

    def tell(self, item: Item) -> None:
        """Something changed."""

    def show(self, board: Board) -> None:
        """How things stand."""

    def conclude(self, ending: Ending, command: Sequence[str]) -> None:
        """The last words; ``command`` would run the same again, empty: none would."""


class _Lines:
    """What writes a line for each change, and nothing in between."""

    interval_seconds: float | None = None

    def __init__(self, console: Console, mask: Mask, now: Callable[[], datetime]) -> None:
        """Lines go to ``console``."""
        self._console = console
        self._mask = mask
        self._now = now

    def __enter__(self) -> object:
        """Nothing is opened."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open."""

    def show(self, board: Board) -> None:
        """Lines show changes only."""


class PlainOutput(_Lines):
    """One line for each change, with its time in UTC."""

    def __init__(self, console: Console, mask: Mask, now: Callable[[], datetime]) -> None:
        """Lines go to ``console``."""
        super().__init__(console, mask, now)
        self._told: dict[tuple[str, str, bool], datetime] = {}

    def tell(self, item: Item) -> None:
        """Print it."""
        if item.kind not in QUIET_KINDS and self._is_due(item):
            message = f"{item.database}: {item.message}" if item.database else item.message
            self._console.print(Text(f"{stamp(self._now())} {self._mask(message)}"), soft_wrap=True)

    def _is_due(self, item: Item) -> bool:
        """What moves all the time is printed now and then, and at once that it begins to hold."""
        if item.kind not in PACED_KINDS:
            return True
        key, now = (item.kind, item.database, bool(item.details.get("throttledBy"))), self._now()
        if key in self._told and now - self._told[key] < PACE:
            return False
        self._told[key] = now
        return True

    def conclude(self, ending: Ending, command: Sequence[str]) -> None:
        """A summary for people."""
        for line in summary(ending, command, self._mask, has_table=False):
            self._console.print(line, soft_wrap=True)


class JsonOutput(_Lines):
    """One JSON object in each line: ``time``, ``kind``, ``message``, mostly ``database``, and what the kind has."""

    def tell(self, item: Item) -> None:
        """Print it."""
        head = {"time": stamp(self._now()), "kind": item.kind, "message": self._mask(item.message)}
        body = head | ({"database": item.database} if item.database else {}) | self._masked(item.details)
        self._console.out(json.dumps(body, ensure_ascii=False), highlight=False)

    def _masked(self, details: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._mask(value) if isinstance(value, str) and name not in _NO_TEXTS else value
            for name, value in details.items()
        }

    def conclude(self, ending: Ending, command: Sequence[str]) -> None:
        """The last line has the result."""
        self.tell(last_item(ending))


class LiveOutput:
    """A table that is drawn again and again, with what a person should not miss above it."""

    interval_seconds: float | None = 0.1

    def __init__(self, console: Console, mask: Mask) -> None:
        """The table is drawn on ``console``, which is a terminal."""
        self._console = console
        self._mask = mask
        self._table = LiveTable(mask)
        self._live = Live(console=console, auto_refresh=False)
        self._obstacles: set[tuple[str, str]] = set()

    def __enter__(self) -> object:
        """Take the bottom of the screen."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last table on it."""
        self._live.stop()

    def tell(self, item: Item) -> None:
        """Most of it shows in the table."""
        text = item.message if item.kind in _ABOVE_THE_TABLE else self._news_of(item)
        if text:
            where = f"{item.database}: " if item.database else ""
            self._console.print(Text(f"{where}{self._mask(text)}", style="yellow"))

    def _news_of(self, item: Item) -> str:
        """What keeps it waiting, whole and once; the table below counts down to the next attempt."""
        key = item.database, item.details.get("reason", "")
        if not item.obstacle or key in self._obstacles:
            return ""
        self._obstacles.add(key)
        return f"{item.obstacle} {GIVE_UP}"

    def show(self, board: Board) -> None:
        """Draw it."""
        width = self._console.width - _ECHO_COLUMNS
        self._live.update(Constrain(self._table.draw(board, width), width), refresh=True)

    def conclude(self, ending: Ending, command: Sequence[str]) -> None:
        """What the table does not say."""
        self._console.print()
        for line in summary(ending, command, self._mask, has_table=True):
            # What is to be copied (the command) or is a file's line stays one line, whatever the width.
            self._console.print(line, soft_wrap=line.plain.startswith(" "))


class ReadOutput:
    """An output as long as somebody reads it: from then on it is silent, and ``when_unread`` was called once."""

    def __init__(self, output: Output) -> None:
        """What is told goes to ``output``."""
        self._output = output
        self.interval_seconds = output.interval_seconds
        self.when_unread: Callable[[], None] = lambda: None
        self._is_unread = False

    def __enter__(self) -> object:
        """The run begins."""
        self._while_read(self._output.__enter__)
        return self

    def __exit__(self, *_: object) -> None:
        """The run has ended."""
        self._while_read(self._output.__exit__)

    def tell(self, item: Item) -> None:
        """Something changed."""
        self._while_read(lambda: self._output.tell(item))

    def show(self, board: Board) -> None:
        """How things stand."""
        self._while_read(lambda: self._output.show(board))

    def conclude(self, ending: Ending, command: Sequence[str]) -> None:
        """The last words; raises :class:`Unread` where nobody reads them."""
        self._while_read(lambda: self._output.conclude(ending, command))
        if self._is_unread:
            raise Unread

    def _while_read(self, write: Callable[[], object]) -> None:
        if self._is_unread:
            return
        try:
            write()
        except BrokenPipeError:
            self._is_unread = True
            self.when_unread()


def output_for(choice: str, console: Console, mask: Mask, now: Callable[[], datetime]) -> Output:
    """``auto`` is live on a terminal that can move its cursor, else plain."""
    if choice == "auto":
        choice = "live" if console.is_terminal and not console.is_dumb_terminal else "plain"
    if choice == "live":
        return LiveOutput(console, mask)
    return JsonOutput(console, mask, now) if choice == "json" else PlainOutput(console, mask, now)
