"""MariaDB and MySQL: their drivers cannot cancel, and their servers do not look whether a client is still there."""

import os
import signal
from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url

from headway_contract.events import LockAwaited, RevisionStarted
from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

LEDGER = "op.execute('CREATE TABLE ledger (entry text, n int)')\nop.execute(\"INSERT INTO ledger VALUES ('a1', 0)\")"
IS_WORKING = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE ledger%'"
FOR_EVER = "BENCHMARK(2000000000, SHA2(RAND(), 256))"
"""Unlike SLEEP, it does not end because its client is gone."""


def working(long, marker):
    """A row for the ledger, and then a statement that takes long, but only once."""
    return (
        "import pathlib\n"
        "op.execute(\"INSERT INTO ledger VALUES ('a2', 0)\")\n"
        f"marker = pathlib.Path({str(marker)!r})\n"
        "if not marker.exists():\n"
        "    marker.touch()\n"
        f"    op.execute('UPDATE ledger SET n = {long} LIMIT 1')\n"
    )


@pytest.fixture
def server(mysql_url):
    return mysql_url


def session(url):
    parts = make_url(url)
    return pymysql.connect(host=parts.host, port=parts.port, user="root", database="shop")


def rows(url, query):
    with session(url) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()


def project_with(folder, upgrade):
    return from_template(folder / "project").revision("a1", LEDGER).revision("a2", upgrade)


def start_until_it_works(project, url, **options):
    running = start(project, request_for(database_request(), **options), {"main": url})
    running.wait_for(RevisionStarted, revision="a2")
    wait_until(lambda: rows(url, IS_WORKING) == ((1,),), what="the statement")
    return running


def test_sigterm_cancels_a_long_statement_on_the_server(public_tmp_path, server):
    project = project_with(public_tmp_path, working(FOR_EVER, public_tmp_path / "was-here"))
    running = start_until_it_works(project, server, grace_seconds=2)
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.result.to_revision == ("a1",)
    assert rows(server, IS_WORKING) == ((0,),)
    assert rows(server, "SELECT entry FROM ledger") == (("a1",),)
    assert migrate(project, server).result.applied == ("a2",)
    assert rows(server, "SELECT entry FROM ledger") == (("a1",), ("a2",))


def test_a_stop_after_a_statement_that_commits_by_itself_names_that_statement(public_tmp_path, server):
    upgrade = "op.execute('CREATE TABLE part (id int)')\n" + working(FOR_EVER, public_tmp_path / "was-here")
    running = start_until_it_works(project_with(public_tmp_path, upgrade), server, grace_seconds=2)
    running.terminate()
    run = running.finish()
    assert run.result.failure.name == "PartiallyApplied", run.stderr
    assert "still there: CREATE TABLE part" in run.result.failure.message


WAITING_FOR_A_ROW = """
import pathlib
op.execute("INSERT INTO ledger VALUES ('a2', 0)")
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    op.execute('SET SESSION innodb_lock_wait_timeout = 600')
    op.execute('UPDATE ledger, gate SET ledger.n = 1, gate.id = 2')
"""


def test_when_everything_is_killed_the_next_run_waits_for_the_end_of_the_statement(public_tmp_path, server):
    """Neither server looks whether a client that waits for a row is still there."""
    rows(server, "CREATE TABLE gate (id int) SELECT 1 AS id")
    project = project_with(
        public_tmp_path, WAITING_FOR_A_ROW.format(marker=str(public_tmp_path / "was-here"))
    )
    with session(server) as holder:
        holder.begin()
        holder.cursor().execute("SELECT * FROM gate FOR UPDATE")
        running = start_until_it_works(project, server)
        process = running.process.pid
        (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in (process, int(child)):
                os.kill(one, number)
        running.process.wait()
        again = start(project, request_for(database_request()), {"main": server})
        again.wait_for(LockAwaited)
        assert rows(server, IS_WORKING) == ((1,),)
        holder.rollback()
        run = again.finish()
    assert run.result.applied == ("a2",), run.stderr
    assert rows(server, "SELECT entry FROM ledger") == (("a1",), ("a2",))
