"""Where a run is shown: a live table on a terminal, timestamped lines for people's logs, JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from headway_cli.board import Board
from headway_cli.live import LiveTable
from headway_cli.report import QUIET_KINDS, Item
from headway_operator.planner.explain import stamp

Mask = Callable[[str], str]
_ABOVE_THE_TABLE = ("Notice", "Interrupted")


class Output(Protocol):
    """Shows one run; use it as a context."""

    interval_seconds: float | None
    """How often ``show`` is called; None: never."""

    def tell(self, item: Item) -> None:
        """Something changed."""

    def show(self, board: Board) -> None:
        """How things stand."""

    def close(self) -> None:
        """The run is over."""


class PlainOutput:
    """One line for each change, with its time in UTC."""

    interval_seconds: float | None = None

    def __init__(self, console: Console, mask: Mask, now: Callable[[], datetime]) -> None:
        """Lines go to ``console``."""
        self._console = console
        self._mask = mask
        self._now = now

    def tell(self, item: Item) -> None:
        """Print it."""
        if item.kind not in QUIET_KINDS:
            message = f"{item.database}: {item.message}" if item.database else item.message
            line = Text(f"{stamp(self._now())} {self._mask(message)}")
            self._console.print(line, soft_wrap=True)

    def show(self, board: Board) -> None:
        """Lines show changes only."""

    def close(self) -> None:
        """Nothing is left open."""


class JsonOutput:
    """One JSON object in each line: ``time``, ``kind``, ``message``, mostly ``database``, and what the kind has."""

    interval_seconds: float | None = None

    def __init__(self, console: Console, mask: Mask, now: Callable[[], datetime]) -> None:
        """Lines go to ``console``."""
        self._console = console
        self._mask = mask
        self._now = now

    def tell(self, item: Item) -> None:
        """Print it."""
        head = {"time": stamp(self._now()), "kind": item.kind, "message": self._mask(item.message)}
        body = head | ({"database": item.database} if item.database else {}) | dict(item.details)
        self._console.out(json.dumps(body, ensure_ascii=False), highlight=False)

    def show(self, board: Board) -> None:
        """Lines show changes only."""

    def close(self) -> None:
        """Nothing is left open."""


class LiveOutput:
    """A table that is drawn again and again, with what a person should not miss above it."""

    interval_seconds: float | None = 0.1

    def __init__(self, console: Console, mask: Mask) -> None:
        """The table is drawn on ``console``, which is a terminal."""
        self._console = console
        self._mask = mask
        self._table = LiveTable(mask)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")
        self._live.start()

    def tell(self, item: Item) -> None:
        """Most of it shows in the table."""
        if item.kind in _ABOVE_THE_TABLE:
            where = f"{item.database}: " if item.database else ""
            self._console.print(Text(f"{where}{self._mask(item.message)}", style="yellow"))

    def show(self, board: Board) -> None:
        """Draw it."""
        self._live.update(self._table.draw(board, self._console.width), refresh=True)

    def close(self) -> None:
        """Leave the last table on the screen."""
        self._live.stop()


def output_for(choice: str, console: Console, mask: Mask, now: Callable[[], datetime]) -> Output:
    """``auto`` is live on a terminal that can move its cursor, else plain."""
    if choice == "auto":
        choice = "live" if console.is_terminal and not console.is_dumb_terminal else "plain"
    if choice == "live":
        return LiveOutput(console, mask)
    return (JsonOutput if choice == "json" else PlainOutput)(console, mask, now)
