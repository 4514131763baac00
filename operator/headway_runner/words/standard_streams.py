"""Python's stdout and stderr, which the application may have replaced or closed: what fails of that is not ours."""

import os
import sys
from contextlib import suppress
from typing import Any


def write_error(text: str) -> None:
    """On stderr at once; past whatever takes its place where that cannot be written."""
    try:
        sys.stderr.write(text)
    except Exception:  # noqa: BLE001 - of each replacement another
        with suppress(OSError):
            os.write(2, text.encode(errors="replace"))
        return
    with suppress(Exception):
        sys.stderr.flush()


def flush() -> None:
    """Both of them, and what they were at the beginning."""
    streams: tuple[Any, ...] = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for stream in streams:
        with suppress(Exception):
            stream.flush()
