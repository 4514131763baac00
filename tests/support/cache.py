"""The user's cache folder, where what takes minutes to make is kept: made by one, found by every later run."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cached(name: str) -> Path:
    """Where a thing of this name (with its version in it) is kept, whether it is there or not."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "headway" / name


def say(line: str) -> None:
    """Tell at once what is being done: it may take a while."""
    print(line, flush=True)


@contextmanager
def only_one_maker(folder: Path, what: str) -> Iterator[None]:
    """Waits, and says so, while another process makes the same folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another test run is making {what}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made beside its place and renamed, so that half of it is never found."""
    if not folder.exists():
        workshop = folder.with_name(folder.name + ".making")
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(parents=True)
        make(workshop)
        workshop.rename(folder)
    return folder
