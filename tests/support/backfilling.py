"""A revision that fills a column in small batches and speaks with whoever drives Alembic as the library does.

It goes slowly until a file is there, so that a test can do things in its middle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headway_contract.control import Control
from headway_contract.request import RunRequest
from support.postgres import Database
from support.projects import Project

ROWS = 2000
BATCHES = """
import pathlib, time
from concurrent.futures import ThreadPoolExecutor
from headway.facts import BackfillFinished, BackfillProgressed, BackfillStarted, tell
from headway.link import link_of
from headway.sessions import OwnSession
from headway.wishes import parse

go = pathlib.Path({go!r})
context = op.get_context()
link = link_of(context)


def left(connection):
    with connection.begin():
        return connection.execute(sa.text("SELECT count(*) FROM users WHERE status IS NULL")).scalar()


def batch(connection):
    with connection.begin():
        connection.execute(sa.text(
            "UPDATE users SET status = 'new' WHERE id IN "
            "(SELECT id FROM users WHERE status IS NULL ORDER BY id LIMIT :size)"
        ), {{"size": {rows} if go.exists() else 2}})
        {in_batch}


with context.autocommit_block():
    # With an asynchronous driver this thread has a running loop; the session's own needs another thread.
    thread = ThreadPoolExecutor(1)
    session = thread.submit(OwnSession, context.connection.engine).result()

    def do(work):
        return thread.submit(session.do, work).result()

    rest = do(left)
    tell(link, BackfillStarted("fill", "users", "status", "keyset", "it has a key", {rows} - rest, {rows}))
    while rest:
        wishes = parse(link.wishes())
        held = f"paused: {{wishes.pause}}" if wishes.pause else ""
        done = {rows} - rest
        tell(link, BackfillProgressed(
            "fill", "users", done, {rows}, 100 * done / {rows}, 1000.0, 1.0,
            wishes.max_workers or 1, held or wishes.pace, {held_seconds} if held else 0.0,
        ))
        if wishes.stop:
            thread.submit(session.close).result()
            link.stop("It goes on from there.")
        if not held:
            do(batch)
            rest = do(left)
        if not go.exists():
            time.sleep(0.01)
    thread.submit(session.close).result()
    tell(link, BackfillFinished("fill", "users", {rows}, 1.0, None, None, None, 0.5, 7, 1.0, 2.0, 0.0))
"""


def fill_users(
    project: Project,
    go: Path,
    revision: str = "fill",
    in_batch: str = "",
    before: str = "",
    held_seconds: float = 0.0,
) -> Project:
    """Add the revision; ``in_batch`` is code that each batch runs at its end, ``before`` what comes first of all.

    ``held_seconds``: so long, it tells, it is held from the first moment of a hold on.
    """
    code = BATCHES.format(go=str(go), rows=ROWS, in_batch=in_batch or "pass", held_seconds=held_seconds)
    return project.revision(revision, before + code)


def make_users(database: Database) -> None:
    """The table that it fills."""
    database.execute("CREATE TABLE users (id int PRIMARY KEY, status text)")
    database.execute(f"INSERT INTO users SELECT n, NULL FROM generate_series(1, {ROWS}) AS n")


class Steering:
    """The control file of a runner, written as the kubelet does: whole, with a number that grows."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.control = Control()

    def asked(self, request: RunRequest) -> RunRequest:
        """The request with this file in it."""
        return replace(request, control_file=str(self.file))

    def wish(self, **wishes: object) -> int:
        """Wish this, and nothing else; the sequence number."""
        self.control = Control(self.control.sequence + 1, **wishes)  # type: ignore[arg-type]
        fresh = self.file.with_suffix(".new")
        fresh.write_text(self.control.to_json())
        fresh.replace(self.file)
        return self.control.sequence
