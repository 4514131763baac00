"""From a breach to the last commit, by the server's clock: a query of the user's says no, several times.

The breach is the commit of a row that the query counts; the last commit is that of the backfill's checkpoint, which
is in each batch's own transaction. Both times are the server's own (`track_commit_timestamp`).
"""

from __future__ import annotations

import random
import subprocess
import time
from datetime import datetime

from backfills import tables
from backfills.ways import Way

from support.postgres import Database, PostgresServer
from support.waiting import wait_until

TIMES = 5
STILL_SECONDS = 1.5
"""Without a commit: it holds."""
LAST = "SELECT max(pg_xact_commit_timestamp(xmin)) FROM headway_backfill"


def measured(server: PostgresServer, template: Database, way: Way) -> list[float]:
    """Seconds, one for each breach that came before the end; none where the server keeps no times."""
    if server.template.scalar("SHOW track_commit_timestamp") != "on":
        return []
    database = tables.copy(server, template)
    database.execute("CREATE TABLE jobs (id int)")
    process = subprocess.Popen(
        way.command,
        cwd=way.folder,
        env=way.environment(database),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found: list[float] = []
        for _ in range(TIMES):
            if not _goes_on(database, process):
                break
            time.sleep(random.uniform(0.0, 0.5))
            found.append(_breach(database))
        return found
    finally:
        process.kill()
        process.wait()
        server.drop(database)


def _breach(database: Database) -> float:
    """Until nothing has been committed for a while; then it may go on."""
    database.execute("INSERT INTO jobs VALUES (1)")
    begun = database.scalar("SELECT pg_xact_commit_timestamp(xmin) FROM jobs")
    assert isinstance(begun, datetime)
    last = _last(database)
    still_since = time.monotonic()
    while time.monotonic() - still_since < STILL_SECONDS:
        time.sleep(0.05)
        if (now := _last(database)) != last:
            last, still_since = now, time.monotonic()
    database.execute("DELETE FROM jobs")
    return (last - begun).total_seconds()


def _goes_on(database: Database, process: subprocess.Popen[bytes]) -> bool:
    """Batches are committed; False: it is over."""
    if not wait_until(lambda: _is_there(database) or process.poll() is not None, 60) or not _is_there(
        database
    ):
        return False
    before = _last(database)
    wait_until(lambda: process.poll() is not None or _last(database) > before, 60, "a batch")
    return process.poll() is None


def _is_there(database: Database) -> bool:
    """The checkpoint has a row."""
    is_table = database.scalar("SELECT to_regclass('headway_backfill') IS NOT NULL")
    return bool(is_table and database.scalar("SELECT count(*) FROM headway_backfill"))


def _last(database: Database) -> datetime:
    found = database.scalar(LAST)
    assert isinstance(found, datetime)
    return found
