"""A plan as a person reads it: what runs where, in order, whom it makes wait, and what should be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from headway_cli.plans.view import (
    ShownDatabase,
    ShownFinding,
    ShownPlan,
    ShownRevision,
    ShownStatement,
    TableLock,
)
from headway_contract.sentences import counted

STATEMENTS_SHOWN = 12
"""Of one revision; ``-o sql`` has them all."""
STATEMENT_CHARACTERS = 160
_SERVERS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
_STYLES = {"Error": "bold red", "Warning": "yellow", "Notice": "cyan"}
_INDENT = 6


def lines(plan: ShownPlan, width: int) -> Iterator[Text]:
    """The lines, wrapped to ``width`` columns."""
    for one in _sections(plan):
        yield from one.wrapped(width)


class _Part:
    """A text with the column at which its further lines begin."""

    def __init__(self, indent: int, *pieces: str | tuple[str, str], hang: int = 0) -> None:
        self._indent = indent
        self._hang = indent + hang
        self._text = Text.assemble(*pieces)

    def wrapped(self, width: int) -> Iterator[Text]:
        """At least 20 columns of text, whatever the terminal says."""
        from rich.console import Console

        console = Console(width=10_000)
        room = max(width - self._hang, 20)
        for place, line in enumerate(self._text.wrap(console, room) or [Text()]):
            line.rstrip()
            yield Text(" " * (self._hang if place else self._indent)) + line


def _sections(plan: ShownPlan) -> Iterator[_Part]:
    total = sum(one.pending_count for one in plan.databases)
    yield _Part(0, (plan.name, "bold"), f": {_head(plan, total)}")
    if plan.digest and total:
        yield _Part(0, (plan.digest, "dim"))
    for note in plan.notes:
        yield _Part(0, (note, "yellow"))
    for database in plan.databases:
        yield _Part(0)
        yield from _of_database(database)
    yield from _conclusion(plan, total)


def _head(plan: ShownPlan, total: int) -> str:
    """Of a database that was not looked at nobody knows that there is nothing to do."""
    failed = sum(bool(one.failure) for one in plan.databases)
    parts = []
    if total:
        parts.append(f"{counted(total, 'revision')} in {counted(len(plan.databases), 'database')}")
    if failed:
        parts.append(f"the look at {failed} of {len(plan.databases)} databases failed")
    return "; ".join(parts) or "nothing to do"


def _of_database(one: ShownDatabase) -> Iterator[_Part]:
    server = f"{_SERVERS.get(one.dialect, one.dialect)} {one.server_version}".strip()
    yield _Part(0, (one.name, "bold cyan"), f"  {server}" if server else "", f"  {_way(one)}", hang=4)
    for notice in one.notices:
        yield _Part(2, ("note: ", "yellow"), notice, hang=6)
    if one.failure:
        yield _Part(2, ("✗ ", "red"), one.failure, hang=2)
    for number, revision in enumerate(one.revisions, start=1):
        yield from _of_revision(number, revision)
    more = one.pending_count - len(one.revisions)
    if more > 0:
        yield _Part(2, f"and {counted(more, 'further revision')}")


def _way(one: ShownDatabase) -> str:
    """``at a1 → b2``; a place is a revision, or several."""
    if one.failure:
        return "the look at it failed"
    start = ("at " if one.was_looked_at else "from ") + (", ".join(one.current) or "base")
    if one.ahead:
        return f"{start}, which is accepted: it is ahead of the target"
    if not one.pending_count:
        return f"{start}: nothing to do"
    verb = "down to" if one.downgrade else "→"
    return f"{start} {verb} {', '.join(one.target) or 'base'}"


def _of_revision(number: int, one: ShownRevision) -> Iterator[_Part]:
    yield _Part(
        2,
        (f"{number:>2}. {one.revision}", "bold"),
        f"  {one.title}" if one.title else "",
        *((f"  [{mark}]", "magenta") for mark in _marks(one)),
        hang=4,
    )
    named = list(_named_once(one.statements))
    yield from _of_statements(named[:STATEMENTS_SHOWN])
    more = len(named) - STATEMENTS_SHOWN
    if more > 0:
        yield _Part(_INDENT, (f"… {more} more: -o sql shows them", "dim"))
    if one.not_shown:
        rest = "the rest is" if one.statements else "its statements are"
        yield _Part(_INDENT, (f"{rest} not known before it runs: {one.not_shown}", "yellow"), hang=2)
    elif not one.statements:
        yield _Part(_INDENT, ("no statement", "dim"))
    for found in one.findings:
        yield from _of_finding(found)
    for warning in one.warnings:
        yield _Part(_INDENT, ("! ", "yellow"), warning, hang=2)


def _marks(one: ShownRevision) -> Iterator[str]:
    if one.post_deploy:
        yield "after the deploy"
    if one.is_foreign:
        yield "of another branch"
    if one.merges:
        yield f"merges {', '.join(one.merges)}"
    if not one.has_downgrade and not one.merges:
        yield "no way back"


def _named_once(statements: Sequence[ShownStatement]) -> Iterator[ShownStatement]:
    """Of each call of the library one: what its script form says is not what a run does."""
    told = ""
    for one in statements:
        call = f"{one.operation}:{one.line}" if one.operation else ""
        if not call or call != told:
            yield one
        told = call


def _of_statements(statements: Sequence[ShownStatement]) -> Iterator[_Part]:
    for one in statements:
        if one.operation:
            yield _Part(_INDENT, one.operation, (" · in short steps that hold nobody up", "dim"), hang=2)
            continue
        yield _Part(_INDENT, _one_line(one), *((f"  [{mark}]", "dim") for mark in _remarks(one)), hang=2)
        for lock in (lock for lock in one.locks if lock.table or lock.stops):
            yield _Part(_INDENT + 2, *_lock(lock), hang=2)


def _one_line(one: ShownStatement) -> str:
    """The statement on one line, its end left out when it is long."""
    words = " ".join(one.sql.split()).replace("( ", "(").replace(" )", ")")
    is_long = len(words) > STATEMENT_CHARACTERS
    return f"{words[:STATEMENT_CHARACTERS].rstrip()} …" if is_long or one.is_cut else words


def _remarks(one: ShownStatement) -> Iterator[str]:
    if one.autocommit:
        yield "in no transaction"
    if one.lost_parameters:
        yield "$1 …: values that it has when it runs"


def _lock(lock: TableLock) -> tuple[str | tuple[str, str], ...]:
    where = lock.table or f"the table of index {lock.index}"
    size = _size(lock)
    stops = f"{lock.stops} wait" if lock.stops else "nobody waits"
    if lock.mode == "ROW EXCLUSIVE":
        stops = "only who wants the same rows waits"
    style = "red" if lock.stops == "reads and writes" else "yellow" if lock.stops else "green"
    return ("locks ", "dim"), where, (f"{size}: ", "dim"), (stops, style), (f" ({lock.mode})", "dim")


def _size(lock: TableLock) -> str:
    parts = [] if lock.rows is None else [f"about {amount(lock.rows)} rows"]
    parts += [] if lock.bytes is None else [f"{amount(lock.bytes, 'B')}"]
    return f" ({', '.join(parts)})" if parts else ""


def amount(number: int, unit: str = "") -> str:
    """``4.2M``, ``1.1 GB``."""
    gap = " " if unit else ""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{gap}{letter}{unit}"
    return f"{number}{gap}{unit}"


def _of_finding(found: ShownFinding) -> Iterator[_Part]:
    where = f", line {found.line}" if found.line else ""
    style = _STYLES.get(found.severity, "")
    yield _Part(
        _INDENT, (f"{found.severity}: ", style), found.what, (f"  [{found.rule}{where}]", "dim"), hang=2
    )
    yield _Part(_INDENT + 2, (f"{found.why} {found.safe}", "dim"))


def _conclusion(plan: ShownPlan, total: int) -> Iterator[_Part]:
    if not total:
        return
    counts = [
        counted(number, severity.lower())
        for severity in _STYLES
        if (number := sum(one.severity == severity for one in plan.findings))
    ]
    untold = sum(bool(each.not_shown) for database in plan.databases for each in database.revisions)
    yield _Part(0)
    pieces: list[str | tuple[str, str]] = [", ".join(counts) or "The review found nothing", "."]
    if untold:
        whose = "its file" if untold == 1 else "their files"
        pieces.append(f" Not everything is known of {counted(untold, 'revision')}: read {whose}.")
    yield _Part(0, *pieces)
    unknown = [one.name for one in plan.databases if one.revisions and not one.sizes_known]
    if unknown:
        yield _Part(0, (f"How large the tables of {', '.join(unknown)} are is not known.", "dim"))
