"""The last words of a run: what was done, and after a failure what happened, why, what next and where the log is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from headway_cli.board import Board, Row, clock
from headway_cli.ending import Ending
from headway_cli.report import Item
from headway_cli.secrecy import MASK
from headway_contract.events import PassRetried
from headway_contract.failures import FAILURES
from headway_contract.sentences import counted
from headway_contract.wire import MARK, from_line
from headway_operator.api.conditions import MAY_ROLL_OUT
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.attempts import STOPPED
from headway_operator.planner.drift import drift_line

TAIL_LINES = 12
_APPROVE = "--approve"
_CHATTER = re.compile(r"INFO\s+\[alembic[.\]]")
_OWN = "headway: "
_LAST_WORDS = re.compile(rf"([\w.-]+: )?({'|'.join(one.name for one in FAILURES)}): ")
_FRAME = re.compile(r'  File "([^"]*)", line \d')
_LIBRARIES = ("/site-packages/", "/headway_runner/", "/lib/python3", "<")


def summary(
    ending: Ending, command: Sequence[str], mask: Callable[[str], str], has_table: bool
) -> Iterator[Text]:
    """The lines. ``command`` would run the same again (empty: none would); ``has_table``: it is on the screen."""
    board, again = ending.board, _pastable(command, mask)
    if ending.succeeded:
        yield Text(f"✓ {mask(_sentence(ending))} ({clock(board.elapsed)})", style="green")
    elif ending.interrupted:
        yield Text(
            f"{board.title}: stopped, {board.databases_done} of {len(board.rows)} databases done",
            style="yellow",
        )
    elif ending.digest_to_approve:
        yield Text(f"{board.title}: the plan needs an approval; nothing was changed", style="yellow")
    else:
        yield Text(f"✗ {board.title}: failed", style="red")
    if not has_table:
        yield from (Text(f"  {_line(row, _width(board))}") for row in board.rows)
    else:
        yield from (Text(mask(line)) for line in _drift(ending))
    if ending.interrupted:
        yield from (Text(f"{one}: {mask(place)}") for one, place in _places(ending))
        yield from _go_on("What was applied stays applied. To go on from there:", again)
    elif ending.digest_to_approve:
        yield from (Text(mask(line)) for line in _planned(ending))
        yield from _go_on(
            "To approve this plan, and no other:",
            _pastable(_approving(command, ending.digest_to_approve), mask),
        )
    elif not ending.succeeded:
        yield from _failure(ending, mask)
        yield from _go_on("When that is corrected, the same command goes on from here:", again)


def _drift(ending: Ending) -> Iterator[str]:
    """What differs from the models, which has no place in the table."""
    for database in ending.status.databases:
        if database.drift is not None:
            yield f"{database.name}: {drift_line(database.drift)}"


def _places(ending: Ending) -> Iterator[tuple[str, str]]:
    """Where within a revision each database was stopped."""
    for database in ending.status.databases:
        if database.message.startswith(f"{STOPPED}. "):
            yield database.name, database.message.removeprefix(f"{STOPPED}. ")


def _planned(ending: Ending) -> Iterator[str]:
    """Each revision that waits, and the plan's digest."""
    for database in ending.status.databases:
        how = "takes back " if database.takes_back else ""
        for one in database.pending:
            yield f"  {database.name}  {how}{one.revision}  {one.title}".rstrip()
        left_out = (database.pending_count or 0) - len(database.pending)
        if left_out:
            yield f"  {database.name}  and {left_out} more"
    yield f"Its digest is {ending.digest_to_approve}."


def _approving(command: Sequence[str], digest: str) -> list[str]:
    """The same command with this digest in the place of one that it may have named."""
    kept = [
        word
        for before, word in zip(("", *command), command, strict=False)
        if _APPROVE not in (before, word) and not word.startswith(f"{_APPROVE}=")
    ]
    return [*kept, _APPROVE, digest] if kept else []


def _pastable(command: Sequence[str], mask: Callable[[str], str]) -> str:
    """The command in one line, with a remark where something in it had to be hidden."""
    plain = shlex.join(command)
    hidden = mask(plain)
    return hidden if hidden == plain else f"{hidden}\n  (put the URL back where it says {MASK})"


def _go_on(sentence: str, again: str) -> Iterator[Text]:
    if again:
        yield Text(sentence)
        yield Text(f"  {again}")


def last_item(ending: Ending) -> Item:
    """The same for programs."""
    result = "Succeeded" if ending.succeeded else _unfinished(ending)
    result = "Ready" if ending.is_at_the_gate else result
    told = ending.status.condition("Succeeded")
    databases: list[dict[str, Any]] = [
        {"name": row.name, "phase": row.phase.value, "revisions": row.done or 0, "current": row.current}
        for row in ending.board.rows
    ]
    details = {"result": result, "reason": told.reason if told else "", "databases": databases}
    if ending.digest_to_approve:
        details["digest"] = ending.digest_to_approve
    return Item("RunEnded", _sentence(ending), details=details)


def _unfinished(ending: Ending) -> str:
    if ending.interrupted:
        return "Interrupted"
    return "NeedsApproval" if ending.digest_to_approve else "Failed"


def _sentence(ending: Ending) -> str:
    title, told = ending.board.title, ending.status.condition("Succeeded")
    if ending.is_at_the_gate:
        left = sum(one.post_deploy_count for one in ending.status.databases)
        waits = f"{counted(left, 'revision')} {'waits' if left == 1 else 'wait'}"
        return f"{title}: {MAY_ROLL_OUT}; {waits} until it is, then run the same without --before-deploy"
    return f"{title}: {told.message if told is not None else 'not started'}"


def _width(board: Board) -> int:
    return max((len(row.name) for row in board.rows), default=0)


def _line(row: Row, width: int) -> str:
    parts = [row.name.ljust(width)]
    if row.phase is DatabasePhase.SUCCEEDED:
        how = "taken back" if row.takes_back else "applied"
        parts += [f"{counted(row.done, 'revision')} {how}" if row.done else "nothing to do"]
    elif row.waits:
        parts += [f"{row.done or 0} of {counted(row.total or 0, 'revision')} applied, the rest waits"]
    elif row.phase is DatabasePhase.SKIPPED or (row.phase is DatabasePhase.PENDING and row.elapsed is None):
        parts += ["not started"]
    elif row.total:
        state = "failed" if row.phase is DatabasePhase.FAILED else "stopped"
        parts += [f"{state} after {row.done or 0} of {counted(row.total, 'revision')}"]
    else:
        parts += [row.phase.value.lower()]
    if row.current:
        parts += [f"at {row.current}"]
    if row.elapsed is not None:
        parts += [clock(row.elapsed)]
    return "  ".join(parts)


def _failure(ending: Ending, mask: Callable[[str], str]) -> Iterator[Text]:
    """Each failed database with its message and the end of its log; of a failed plan the same."""
    failed = [one for one in ending.status.databases if one.phase is DatabasePhase.FAILED]
    for database in failed:
        yield Text()
        yield Text.assemble((database.name, "bold"), f" ({database.reason}): {mask(database.message)}")
        yield from _log(ending.logs.get(database.name), database.message, mask)
    if not failed:
        told = ending.status.condition("Succeeded")
        yield Text()
        yield Text(f"{told.reason}: {mask(told.message)}" if told is not None else "It did not start.")
        yield from _log(ending.logs.get(""), told.message if told is not None else "", mask)
    yield Text()


def _log(path: Path | None, told: str, mask: Callable[[str], str]) -> Iterator[Text]:
    """The end of what the user's code printed; events, and what the message ``told``, are told already."""
    if path is None or not path.exists():
        return
    lines = without_library_frames(last_pass(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    tail = without_repetition(lines, told)[-TAIL_LINES:]
    yield Text(f"The end of the log {path}:" if tail else f"The log is {path}.", style="dim")
    for line in tail:
        yield Text(f"  | {mask(line)}", style="dim")


def without_repetition(lines: Sequence[str], told: str) -> list[str]:
    """Each error once, with where it was raised; one that was told and has no such place not at all.

    The runner ends each error with a line of its own, and ends itself with one that says it all again.
    """
    blocks: list[tuple[str, ...]] = []
    begun = 0
    for place, line in enumerate(lines, start=1):
        if line.startswith(_OWN):
            blocks.append(tuple(lines[begun:place]))
            begun = place
    blocks = [block for block in dict.fromkeys(blocks) if not _says_nothing_new(block, told)]
    return [line for block in (*blocks, tuple(lines[begun:])) for line in block]


def _says_nothing_new(block: tuple[str, ...], told: str) -> bool:
    said = block[-1].removeprefix(_OWN)
    return len(block) == 1 and (said in told or bool(_LAST_WORDS.match(said)))


def last_pass(lines: Sequence[str]) -> list[str]:
    """What the user's code printed since the last pass began, without what Alembic says of every look."""
    kept: list[str] = []
    for line in lines:
        if line.startswith(MARK):
            envelope = from_line(line)
            if envelope is not None and isinstance(envelope.event, PassRetried):
                kept = []
        elif not _CHATTER.match(line):
            kept.append(line)
    return kept


def without_library_frames(lines: Sequence[str]) -> list[str]:
    """Tracebacks without the frames of other people's code: those of the revision remain."""
    kept, is_library = [], False
    for line in lines:
        frame = _FRAME.match(line)
        if frame is not None:
            is_library = any(part in frame[1] for part in _LIBRARIES)
        elif not line.startswith("    "):
            is_library = False
        if not is_library:
            kept.append(line)
    return kept
