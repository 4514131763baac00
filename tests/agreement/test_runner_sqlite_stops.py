"""SQLite works inside the runner's own process, so a stop must reach it there."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

DRIVERS = {"sqlite": "generic", "sqlite+aiosqlite": "async"}
FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def entries(file):
    connection = sqlite3.connect(file)
    found = [entry for (entry,) in connection.execute("SELECT entry FROM ledger")]
    connection.close()
    return found


@pytest.fixture(params=DRIVERS)
def shop(request, tmp_path):
    """A project whose second revision writes a row and then computes for ever, but only once; its URL; its file."""
    project = from_template(tmp_path / "project", DRIVERS[request.param])
    project.revision("a1", "op.execute('CREATE TABLE ledger (entry text)')")
    project.revision(
        "a2",
        f"""
        import pathlib
        marker = pathlib.Path({str(tmp_path / "was-here")!r})
        op.execute("INSERT INTO ledger VALUES ('a2')")
        if not marker.exists():
            marker.touch()
            op.execute({FOR_EVER!r})
        """,
    )
    file = tmp_path / "app.db"
    return project, f"{request.param}:///{file}", file, tmp_path / "was-here"


def test_sigterm_ends_a_long_statement_and_nothing_of_it_stays(shop):
    project, url, file, marker = shop
    running = start(project, request_for(database_request(), grace_seconds=2), {"main": url})
    wait_until(marker.exists, what="the statement")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert entries(file) == []
    assert migrate(project, url).result.applied == ("a2",)
    assert entries(file) == ["a2"]


def test_a_runner_that_is_killed_with_its_pass_leaves_nothing_and_the_next_one_goes_on(shop):
    project, url, file, marker = shop
    running = start(project, request_for(database_request()), {"main": url})
    wait_until(marker.exists, what="the statement")
    process = running.process.pid
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in (process, int(child)):
            os.kill(one, number)
    running.process.wait()
    assert entries(file) == []
    assert migrate(project, url).result.applied == ("a2",)
    assert entries(file) == ["a2"]
