"""The `sitecustomize` that a command's Pythons read: it brings the runner in, and changes nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from headway_contract.control import Control
from headway_contract.request import Mode, RunRequest
from headway_runner.attach.board import VARIABLE, Attachment, Board, SharedSender
from headway_runner.attach.isolation import option_that_isolates
from headway_runner.connections.identity import Identity
from headway_runner.processes.level import Level
from headway_runner.processes.pipes import Receiver
from headway_runner.processes.task import Task
from support.runner import database_request
from support.tree import SOURCE

HOOK = SOURCE / "headway_runner" / "attach" / "hook"


@pytest.fixture
def board():
    """A board of this process, with its pipes."""
    (heard, words), (lifeline, held) = os.pipe(), os.pipe()
    database = database_request()
    task = Task(RunRequest(Mode.MIGRATE, "run", (database,)), database, "heads", identity=Identity("shop"))
    attachment = Attachment(task, True, (frozenset({"s3cret-word"}), frozenset()))
    made = Board.make(attachment, words, lifeline, Level.make())
    yield made
    for descriptor in (heard, words, lifeline, held, made.file, made.level):
        os.close(descriptor)


def python(code, *folders, options=(), address=None, descriptors=(), **variables):
    """What a Python with the hook on its path prints."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, (HOOK, *folders)))}
    if address is not None:
        environment[VARIABLE] = address
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(
        command,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        pass_fds=descriptors,
    )
    return done.stdout.strip() + done.stderr.strip()


def test_it_is_loaded_and_says_so_and_leaves_the_path_as_it_was(board):
    code = "import sys; print(sys.path)"
    shown = python(code, address=board.address, descriptors=(board.file,))
    assert board.was_loaded
    assert shown == python(code, PYTHONPATH="")


@pytest.mark.parametrize("descriptors", [True, False])
def test_the_board_is_reached_also_where_descriptors_were_closed(board, descriptors):
    python("pass", address=board.address, descriptors=(board.file,) if descriptors else ())
    assert board.was_loaded


@pytest.mark.parametrize("inherits", [True, False])
def test_what_is_wished_is_read_also_where_descriptors_were_closed(board, inherits):
    Level(board.level).put(Control(7, pause="by hand"))
    code = (
        f"import os, sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from headway_runner.attach.board import Board\n"
        "from headway_runner.processes.level import Level\n"
        f"print(Level(Board.of_this_process({board.address!r}).level).get().pause)"
    )
    assert python(code, descriptors=board.descriptors if inherits else ()) == "by hand"


def test_without_the_variable_nothing_is_hooked():
    code = (
        "import sys; print([type(one).__module__ for one in sys.meta_path], 'sitecustomize' in sys.modules)"
    )
    shown = python(code)
    assert "True" in shown
    assert "'sitecustomize'" not in shown


def test_pythonsafepath_changes_nothing(board):
    python("pass", address=board.address, PYTHONSAFEPATH="1")
    assert board.was_loaded


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_isolated_python_does_not_load_it(board, option):
    assert python("print(1)", options=(option,), address=board.address) == "1"
    assert not board.was_loaded


@pytest.mark.parametrize("hooked", [True, False])
def test_the_sitecustomize_of_the_image_is_loaded_too(tmp_path, board, hooked):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.from_the_image = __file__\n")
    code = "import sys, sitecustomize; print(sys.from_the_image, sitecustomize.__file__)"
    shown = python(code, tmp_path, address=board.address if hooked else None)
    assert shown.split() == [str(tmp_path / "sitecustomize.py")] * 2
    assert board.was_loaded is hooked


def test_one_that_the_image_has_and_that_fails_is_told_as_without_us(tmp_path, board):
    (tmp_path / "sitecustomize.py").write_text("import there_is_no_such_module\n")
    assert "there_is_no_such_module" in python("pass", tmp_path, address=board.address)
    assert board.was_loaded


def test_our_modules_are_found_without_a_place_on_the_path_and_before_the_images(tmp_path, board):
    (tmp_path / "headway_runner").mkdir()
    (tmp_path / "headway_runner" / "__init__.py").write_text("raise RuntimeError('of the image')\n")
    code = "import headway_runner, headway_contract; print(headway_runner.__file__)"
    assert python(code, tmp_path, address=board.address) == str(SOURCE / "headway_runner" / "__init__.py")


def test_nothing_of_alembic_or_the_runner_is_imported_before_alembic_is(board):
    code = (
        "import sys; print([one for one in sys.modules if one.startswith(('alembic', 'headway', 'sqlal'))])"
    )
    assert python(code, address=board.address) == "[]"
    code = "import sys, alembic; print([name for name in sys.modules if name.startswith('headway')])"
    assert python(code, address=board.address) == "[]"


def test_alembic_on_an_old_python_is_refused_and_other_code_is_not(tmp_path, board):
    hook = tmp_path / "headway_runner" / "attach" / "hook"
    hook.mkdir(parents=True)
    text = (HOOK / "sitecustomize.py").read_text()
    (hook / "sitecustomize.py").write_text(text.replace("OLDEST = (3, 10)", "OLDEST = (99, 0)"))
    code = "import json; print('as ever')\nimport alembic"
    shown = python(code, address=board.address, PYTHONPATH=str(hook))
    assert "as ever" in shown
    assert "3.10 is needed" in shown
    assert board.old_python == "{}.{}".format(*sys.version_info)


def test_options_of_postgres_are_put_back(board):
    code = "import os; print(os.environ.get('PGOPTIONS'), 'HEADWAY_PGOPTIONS' in os.environ)"
    options = {"PGOPTIONS": "-c default_transaction_read_only=on"}
    assert python(code, address=board.address, HEADWAY_PGOPTIONS="", **options) == "None False"
    assert (
        python(code, address=board.address, HEADWAY_PGOPTIONS="-c jit=off", **options) == "-c jit=off False"
    )


def test_an_order_on_the_board_is_only_replaced_by_a_stronger_one(board):
    assert board.order() == b""
    for given, stands in ((b"s", b"s"), (b"c", b"c"), (b"s", b"c")):
        board.give(given)
        assert board.order() == stands


def test_large_values_of_several_processes_arrive_whole(board):
    heard, words = os.pipe()
    shared = replace(board, words=words)
    writers = [fork(send_twenty, SharedSender(shared), letter * 200_000) for letter in "abc"]
    os.close(words)
    receiver, found = Receiver(heard), []
    while not receiver.at_end:
        found += receiver.receive(10)
    assert sorted(text[0] for text in found) == sorted("abc" * 20)
    assert {len(text) for text in found} == {200_000}
    assert [os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) for writer in writers] == [0, 0, 0]
    receiver.close()


def send_twenty(sender, text):
    for _ in range(20):
        sender.send(text)


def fork(work, *arguments):
    process = os.fork()
    if process == 0:
        signal.alarm(120)  # When the reader has failed, nobody would end it.
        try:
            work(*arguments)
        finally:
            os._exit(0)
    return process


def test_the_board_holds_the_task(board):
    found = board.attachment()
    assert found.task.identity == Identity("shop")
    assert found.known == (frozenset({"s3cret-word"}), frozenset())


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("python3", "-I", "manage.py"), "-I"),
        (("/app/bin/python3.12", "-sE", "-m", "shop"), "-E"),
        (("python", "-c", "import I"), ""),
        (("python", "-m", "shop", "-I"), ""),
        (("python", "-u", "-X", "dev", "manage.py", "-E"), ""),
        (("python", "-uS", "manage.py"), "-S"),
        (("flask", "db", "upgrade"), ""),
        (("./no-such-file",), ""),
    ],
)
def test_a_python_that_isolates_itself_is_seen_in_the_command(command, option):
    assert option_that_isolates(command, os.defpath) == option


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (b"#!/usr/bin/python3 -I", "-I"), (b"#!/usr/bin/env -S python3 -E", "-E"), (b"#!/usr/bin/python3 -sP", ""),
        (b"#!/usr/bin/env python3", ""), (b"#!/bin/sh -e", ""), (b"\x7fELF\x02\x01-I", ""), (b"", ""),
    ],
)  # fmt: skip
def test_a_python_that_isolates_itself_is_seen_in_a_script(tmp_path, line, option):
    program = tmp_path / "shop-admin"
    program.write_bytes(line + b"\nprint(1)\n")
    program.chmod(0o755)
    assert option_that_isolates(("shop-admin",), str(tmp_path)) == option
