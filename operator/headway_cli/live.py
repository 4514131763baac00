"""The live table: a header, and a row with a bar for each database. From a board to what rich draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from headway_cli.board import Board, Row, clock
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.backfills import name_of, parts_of, whole_percent
from headway_operator.planner.snapshot import BackfillProgress

_MARKS = {
    DatabasePhase.PENDING: ("·", "dim"),
    DatabasePhase.WAITING: ("~", "yellow"),
    DatabasePhase.SUCCEEDED: ("✓", "green"),
    DatabasePhase.FAILED: ("✗", "red"),
    DatabasePhase.SKIPPED: ("-", "dim"),
}
_WORDS = {DatabasePhase.SUCCEEDED: "done"}
_ROOMY = 100
"""Columns from which on the phase is there in words too; the mark before the name says it anyway."""
TOLD_LINES = 3
"""Of what one database says, at most."""
_INDENT = "  "
_TELLING = (
    DatabasePhase.MIGRATING,
    DatabasePhase.BACKFILLING,
    DatabasePhase.WAITING,
    DatabasePhase.FAILED,
)
"""In these phases a database has something to say, below the table."""


class LiveTable:
    """Draws boards; keeps the spinner's phase from one drawing to the next."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """``mask`` hides secrets in messages."""
        self._mask = mask
        self._spinner = Spinner("dots", style="cyan")

    def draw(self, board: Board, width: int) -> RenderableType:
        """The board for a terminal of this width; its columns stay where they are while things change."""
        names = min(max((len(row.name) for row in board.rows), default=0), width // 4)
        table = Table.grid(expand=True, padding=(0, 2, 0, 0))
        table.add_column(width=1)
        table.add_column(width=names, no_wrap=True, overflow="ellipsis")
        if width >= _ROOMY:
            table.add_column(width=11)
        table.add_column(width=max(8, width // 5))
        table.add_column(width=7, justify="right")
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column(width=7, justify="right")
        for row in board.rows:
            cells = self._cells(row)
            table.add_row(*(cells if width >= _ROOMY else [*cells[:2], *cells[3:]]))
        below: list[RenderableType] = []
        for row in board.rows:
            if row.backfill is not None:
                below += self._filling(row.name, row.backfill, width)
            elif row.phase in _TELLING and row.message and not _is_told_below(board, row):
                style = "red" if row.phase is DatabasePhase.FAILED else ""
                # What it waits for was said whole above the table.
                most = 1 if row.phase is DatabasePhase.WAITING else TOLD_LINES
                below.append(_in_lines(f"{row.name}: ", self._mask(row.message), width, style, most))
        if board.note:
            below.append(_in_lines("", self._mask(board.note), width, most=1))
        return Group(_header(board), Text(""), table, *([Text(""), *below] if below else []))

    def _cells(self, row: Row) -> list[RenderableType]:
        mark, style = _MARKS.get(row.phase, ("", ""))
        is_busy = row.phase.is_working
        return [
            self._spinner if is_busy else Text(mark, style=style),
            Text(row.name, style="bold" if is_busy else ""),
            Text(_WORDS.get(row.phase, row.phase.value.lower()), style=style),
            _bar(row),
            Text("" if row.total is None else f"{row.done or 0}/{row.total}"),
            _way(row),
            Text("" if row.elapsed is None else clock(row.elapsed), style="dim"),
        ]

    def _filling(self, database: str, backfill: BackfillProgress, width: int) -> Iterator[RenderableType]:
        """A line of its own: what is filled, how far, how fast and how long yet; below it why it holds."""
        line = Table.grid(expand=True, padding=(0, 2, 0, 0))
        line.add_column(no_wrap=True, overflow="ellipsis", max_width=width // 3)
        if backfill.percent is not None:
            line.add_column(width=max(8, width // 5))
            line.add_column(width=4, justify="right")
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        what = name_of(backfill) if backfill.columns else backfill.operation
        name = Text.assemble((f"{database}: ", "bold"), self._mask(what))
        parts = parts_of(backfill)
        style = "yellow" if backfill.throttled_by else "cyan"
        facts = Text(self._mask("  ".join(parts[:-1] if backfill.throttled_by else parts)))
        if backfill.percent is None:
            line.add_row(name, facts)
        else:
            bar = ProgressBar(
                total=100.0,
                completed=backfill.percent,
                complete_style=style,
                finished_style=style,
                style="grey23",
            )
            line.add_row(name, bar, f"{whole_percent(backfill.percent)}%", facts)
        yield line
        if backfill.throttled_by:
            yield _in_lines("", self._mask(f"  {parts[-1]}"), width, style)


def _is_told_below(board: Board, row: Row) -> bool:
    """At the end the last words say it whole."""
    return board.is_over and row.phase is DatabasePhase.FAILED


def _in_lines(head: str, text: str, width: int, style: str = "", most: int = TOLD_LINES) -> Text:
    """A few lines, broken between words."""
    lines = wrap(
        head + text,
        width,
        max_lines=most,
        placeholder=" …",
        subsequent_indent=_INDENT,
    )
    shown = Text("\n".join(lines), style=style)
    shown.stylize("bold", 0, len(head))
    return shown


def _header(board: Board) -> RenderableType:
    header = Table.grid(expand=True)
    header.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    header.add_column(justify="right", no_wrap=True)
    left = Text.assemble(
        (board.title, "bold"), ("  run ", "dim"), (board.run or "…", "dim"), "  ", board.phase
    )
    parts = [f"{board.databases_done}/{len(board.rows)} databases"]
    if board.revisions_total:
        parts.append(f"{board.revisions_done}/{board.revisions_total} revisions")
    header.add_row(left, Text("  ".join([*parts, clock(board.elapsed)]), style="dim"))
    return header


def _bar(row: Row) -> RenderableType:
    """Full for what needed nothing; pulsing while it is not known how much there is."""
    if row.phase is DatabasePhase.SUCCEEDED:
        return ProgressBar(total=1, completed=1, complete_style="green", finished_style="green")
    style = "red" if row.phase is DatabasePhase.FAILED else "cyan"
    return ProgressBar(
        total=1.0,
        completed=row.fraction,
        complete_style=style,
        finished_style=style,
        style="grey23",
    )


def _way(row: Row) -> Text:
    if not row.target:
        return Text(row.current, style="dim")
    if row.current == row.target:
        return Text(row.current)
    return Text.assemble(row.current or "nothing", (" → ", "dim"), row.target)
