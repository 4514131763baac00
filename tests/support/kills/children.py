"""Processes for the proofs: forked from one that has Alembic imported already, so that a thousand of them are cheap.

Each is a real process that a signal kills for good; it has no connection, thread or lock of anybody else's.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = [
    "support.kills.victim",
    "support.kills.writers",
    "logging.config",
    "sqlalchemy.dialects.postgresql",
    "headway.sessions",
]


@cache
def context() -> ForkServerContext:
    """How they are made: the server that forks them is started, with what we can import."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    # Python 3.11 hands sys.path to those that are forked and not to the one that forks.
    usual = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH")
        if usual is not None:
            os.environ["PYTHONPATH"] = usual
    return made


def redirect(log: Path) -> None:
    """Called first by each: output goes to `log`, it ends with the process that forked it, Ctrl-C is not for it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.stdout.flush()
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
