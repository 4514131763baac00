"""Attach mode: a pass through the application's own command, started here and watched until it ends.

Rule: the command is never trusted. What its processes reported is what was found or done, and a command that was
never seen in Alembic has done nothing that counts.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from headway_contract.result import Failure, shorten
from headway_runner.attach.board import VARIABLE, Attachment, Board
from headway_runner.attach.command_end import CommandEnd, application_of, inspection_of
from headway_runner.attach.isolation import option_that_isolates
from headway_runner.processes.child import NOTHING_KEPT, STOP, Kept, Link
from headway_runner.processes.pipes import Receiver
from headway_runner.processes.task import Application, Inspection, Report, Task
from headway_runner.project.config import prepare_process
from headway_runner.run.agreement import hold_to_the_plan
from headway_runner.run.participant import identity_of
from headway_runner.words.failures import failure_of, print_error
from headway_runner.words.reports import say
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.secrecy import known, mask

HOOK = Path(__file__).resolve().parent / "hook"
POLL_SECONDS = 0.2
COMMAND_CHARACTERS = 80


def inspect(link: Link, task: Task) -> Inspection:
    """Probe, then run the command with nothing applied."""
    try:
        prepare_process(task)
        # A command may have several targets, so heads at which one is reached say nothing about the others.
        task = replace(task, identity=identity_of(link, task), reached=())
        found = inspection_of(run_command(link, task, looks=True))
        hold_to_the_plan(task.database.planned, found)
    except Exception as error:  # noqa: BLE001 - a pass always ends in a report
        print_error(error)
        found = Inspection(failure=failure_of(error))
    return replace(found, identity=task.identity)


def apply(link: Link, task: Task) -> Application:
    """Run the command with its revisions applied."""
    try:
        prepare_process(task)
        return application_of(run_command(link, task, looks=False))
    except Exception as error:  # noqa: BLE001 - a pass always ends in a report
        print_error(error)
        return Application(failure=failure_of(error))


def run_command(link: Link, task: Task, looks: bool) -> CommandEnd:
    """Run it to its end; raises :class:`RunFailed` when it cannot be started or would not load the hook."""
    # So that whoever ends this process ends with it all that the command has started.
    os.setpgid(0, 0)
    refuse_isolated(task.request.command, os.environ.get("PATH", ""))
    (heard, words), (lifeline, held) = os.pipe(), os.pipe()
    board = Board.make(Attachment(task, looks, known()), words, lifeline, link.level)
    environment = environment_of(os.environ, board.address, read_only=looks and task.read_only)
    link.pass_orders_on(board.give)
    if link.stop_requested:
        board.give(STOP)
    process = start(task.request.command, environment, board.descriptors)
    reports, kept = watch(link, process, Receiver(heard))
    os.close(held)
    if looks and process.returncode:
        say(f"the command ended with exit code {process.returncode} in a look, where nothing is applied")
    return CommandEnd(
        command=told(task.request.command),
        status=process.returncode,
        reports=reports,
        kept=kept,
        hooked=board.was_loaded,
        old_python=board.old_python,
        asked_to_stop=link.stop_requested,
    )


def refuse_isolated(command: tuple[str, ...], path: str) -> None:
    """Raises :class:`RunFailed` with ``NeverAttached``: its revisions would run unseen, also in a look."""
    option = option_that_isolates(command, path)
    if option:
        raise RunFailed(
            Failure(
                "NeverAttached",
                f"{told(command)} starts Python with {option}, which loads no hook; it was not started.",
            )
        )


def start(
    command: tuple[str, ...], environment: Mapping[str, str], descriptors: tuple[int, ...]
) -> "subprocess.Popen[bytes]":
    """The command's first process, with nothing to read; raises :class:`RunFailed` with ``CommandNotFound``."""
    try:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=descriptors)
    except OSError as error:
        sentence = f"{command[0]} cannot be started: {error.strerror}."
        raise RunFailed(Failure("CommandNotFound", mask(sentence))) from None


def environment_of(base: Mapping[str, str], address: str, read_only: bool) -> dict[str, str]:
    """What the command sees: nothing of Headway's but the hook; the URL only where the specification exports it."""
    environment = {name: value for name, value in base.items() if not name.startswith("HEADWAY_")}
    environment[VARIABLE] = address
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HOOK), base.get("PYTHONPATH"))))
    # A console script lies beside the interpreter of its environment, which may not be on the path.
    environment["PATH"] = os.pathsep.join(filter(None, (base.get("PATH"), os.path.dirname(sys.executable))))
    if read_only:
        # For programs that do not load the hook; the hook puts the image's own options back.
        own = base.get("PGOPTIONS", "")
        environment["HEADWAY_PGOPTIONS"] = own
        environment["PGOPTIONS"] = f"{own} -c default_transaction_read_only=on".strip()
    return environment


def watch(link: Link, process: "subprocess.Popen[bytes]", words: Receiver) -> tuple[tuple[Report, ...], Kept]:
    """Pass on what is told until the first process has ended; the last report of each, and what was kept last."""
    reports: dict[int, Report] = {}
    kept = NOTHING_KEPT
    while True:
        has_ended = process.poll() is not None
        for word in words.receive(POLL_SECONDS):
            if isinstance(word, Report):
                reports.pop(word.process, None)
                reports[word.process] = word
            elif isinstance(word, Kept):
                kept = word
                link.keep(word.revision, word.statements)
            else:
                link.emit(*word)
        if has_ended and words.is_empty():
            return tuple(reports.values()), kept


def told(command: tuple[str, ...]) -> str:
    """The command for people."""
    return shorten(mask(shlex.join(command)), COMMAND_CHARACTERS)
