"""A node that is lost with MySQL's or MariaDB's lock: the servers do not notice, so the next run does.

One loss for all that a run may have been at, because noticing takes more than a minute.
"""

import time
from contextlib import ExitStack

import pymysql
import pytest
from sqlalchemy.engine import make_url

from headway_contract.events import LockAwaited, RevisionStarted
from headway_contract.exit_codes import ExitCode
from headway_runner.connections.keepalive import LOST_AFTER_SECONDS
from headway_runner.locks.mysql_lock import SILENT_SECONDS
from support.matrix import mysql as own_mysql
from support.network import network
from support.projects import from_template
from support.runner import PYTHON, RUNNER, database_request, request_for, start_runner
from support.system_servers import mariadb, mysql
from support.waiting import wait_until

MYSQL = own_mysql.find()
PATIENCE_SECONDS = LOST_AFTER_SECONDS + SILENT_SECONDS + 60
ONCE = """
import pathlib, time
op.execute("INSERT INTO ledger VALUES ('a1', 0)")
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    {work}
"""
IDLE = "while not pathlib.Path('go').exists(): time.sleep(0.05)"
BUSY = "op.execute('SET SESSION innodb_lock_wait_timeout = 600'); op.execute('UPDATE gate SET id = 2')"
IS_WAITING = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE gate%'"


@pytest.fixture
def net():
    with network(2) as made:
        yield made


@pytest.fixture(params=["mariadb", "mysql"] if MYSQL else ["mariadb"])
def server(request, public_tmp_path, net):
    """Reached from the network, too, by a user who is no administrator."""
    folder = public_tmp_path / request.param
    folder.mkdir()
    running = (
        mysql(folder, MYSQL, "0.0.0.0") if request.param == "mysql" and MYSQL else mariadb(folder, "0.0.0.0")
    )
    with running as url:
        statement(url, "CREATE USER shop@'%'")
        yield url


def session(url, database=None):
    parts = make_url(url)
    return pymysql.connect(host=parts.host, port=parts.port, user="root", database=database)


def statement(url, text, database=None):
    with session(url, database) as connection:
        cursor = connection.cursor()
        cursor.execute(text)
        connection.commit()
        return cursor.fetchall()


class Shop:
    """A database and a project whose one revision is at something when its node is lost."""

    def __init__(self, folder, server, net, name, work):
        self.folder, self.server, self.net, self.name = folder, server, net, name
        statement(server, f"CREATE DATABASE {name}")
        statement(server, f"GRANT ALL ON {name}.* TO shop@'%'")
        statement(server, "CREATE TABLE ledger (entry text, n int)", name)
        statement(server, "CREATE TABLE gate (id int) SELECT 1 AS id", name)
        marker = str(folder / "was-here")
        self.project = from_template(folder).revision("a1", ONCE.format(marker=marker, work=work))

    def start_on(self, host, scratch):
        port = make_url(self.server).port
        url = f"mysql+pymysql://shop@{self.net.address}:{port}/{self.name}"
        program, *arguments = (*host.enter, PYTHON, str(RUNNER))
        request = request_for(database_request())
        return start_runner(
            self.folder,
            request,
            {"URL_main": url},
            self.folder / scratch,
            python=program,
            command=tuple(arguments),
        )

    def is_at_work(self):
        return (self.folder / "was-here").exists()


def test_the_next_run_takes_over_from_a_lost_node_and_not_from_one_that_is_only_idle(tmp_path, server, net):
    lost, other = net.hosts
    idle, busy, alive = (
        Shop(tmp_path / name, server, net, name, work)
        for name, work in (("idle", IDLE), ("busy", BUSY), ("alive", IDLE))
    )
    with ExitStack() as stack:
        holder = stack.enter_context(session(server, "busy"))
        holder.begin()
        holder.cursor().execute("SELECT * FROM gate FOR UPDATE")
        runs = [
            idle.start_on(lost, "lost"),
            busy.start_on(lost, "lost"),
            alive.start_on(other, "first"),
        ]
        for run, shop in zip(runs, (idle, busy, alive), strict=True):
            stack.callback(run.process.kill)
            run.wait_for(RevisionStarted)
            wait_until(shop.is_at_work, timeout=60, what="the revision")
        wait_until(lambda: statement(server, IS_WAITING) == ((1,),), what="the statement that is busy")
        lost.pull_the_cable()
        start = time.monotonic()
        takeovers = [shop.start_on(other, "next") for shop in (idle, busy, alive)]
        for run in takeovers:
            run.wait_for(LockAwaited)
        for shop, run in zip((idle, busy), takeovers, strict=False):
            wait_until(lambda run=run: run.process.poll() is not None, PATIENCE_SECONDS, "the takeover")
            taken = run.finish()
            assert (taken.exit_code, taken.result.applied) == (ExitCode.SUCCEEDED, ("a1",)), taken.stderr
            assert "its runner is gone" in taken.stderr
            assert statement(server, "SELECT entry FROM ledger", shop.name) == (("a1",),)
        # On the lost node the kernel gave the connection up; the other run is still waiting in its own code.
        left = runs[1].finish()
        assert (left.result.failure.name, left.exit_code) == ("ConnectionLost", ExitCode.UNAVAILABLE), (
            left.stderr
        )
        # The third has been idle for as long as that, and has not lost its session.
        assert time.monotonic() - start > SILENT_SECONDS
        assert takeovers[2].process.poll() is None
        (alive.folder / "go").touch()
        first, second = runs[2].finish(), takeovers[2].finish()
        assert (first.exit_code, first.result.applied) == (ExitCode.SUCCEEDED, ("a1",)), first.stderr
        assert (second.exit_code, second.result.applied) == (ExitCode.SUCCEEDED, ()), second.stderr
