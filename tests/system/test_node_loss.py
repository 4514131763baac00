"""A node that is lost in the middle of a statement: packets end without a FIN. Both sides notice by themselves.

One loss for all drivers, because noticing takes most of a minute.
"""

from contextlib import ExitStack

import pytest

from headway_cli import embedded
from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from headway_runner.connections.keepalive import LOST_AFTER_SECONDS
from support.network import network
from support.postgres import PostgresServer
from support.projects import from_template
from support.runner import PYTHON, RUNNER, database_request, request_for, start_runner
from support.waiting import wait_until

DRIVERS = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}
PATIENCE_SECONDS = LOST_AFTER_SECONDS + 30
IS_SLEEPING = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active' AND datname = current_database()"
)
ONCE = """
import pathlib
op.execute("INSERT INTO ledger VALUES ('a1')")
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    op.execute('SELECT pg_sleep(600)')
"""


@pytest.fixture
def net():
    with network(2) as made:
        yield made


@pytest.fixture
def server(net, monkeypatch):
    """A PostgreSQL that hosts on the network reach, too."""
    monkeypatch.setitem(embedded._SETTINGS, "listen_addresses", "*")
    with embedded.EmbeddedPostgres.start() as started:
        with (started.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.231.77.0/24 scram-sha-256\n")
        server = PostgresServer(started.url())
        database = server.make_database("probe")
        database.execute("SELECT pg_reload_conf()")
        yield server


class Shop:
    """A database, a project for one driver, and its runs on hosts of the network."""

    def __init__(self, folder, server, net, driver):
        self.folder, self.driver, self.net = folder, driver, net
        self.database = server.make_database(driver)
        self.database.execute("CREATE TABLE ledger (entry text)")
        self.project = from_template(folder, DRIVERS[driver]).revision(
            "a1", ONCE.format(marker=str(folder / "was-here"))
        )

    def start_on(self, host):
        url = self.database.url(self.driver).replace("127.0.0.1", self.net.address)
        program, *arguments = (*host.enter, PYTHON, str(RUNNER))
        scratch = self.folder / f"run-on-{host.name}"
        request = request_for(database_request())
        return start_runner(
            self.folder, request, {"URL_main": url}, scratch, python=program, command=tuple(arguments)
        )

    def is_sleeping(self):
        return bool(self.database.scalar(IS_SLEEPING))


def test_the_server_ends_a_lost_nodes_session_the_runner_there_ends_too_and_the_next_run_takes_over(
    tmp_path, server, net
):
    lost, other = net.hosts
    shops = [Shop(tmp_path / driver, server, net, driver) for driver in DRIVERS]
    with ExitStack() as running:
        runs = [shop.start_on(lost) for shop in shops]
        for run in runs:
            running.callback(run.process.kill)
        for shop in shops:
            wait_until(shop.is_sleeping, timeout=60, what=f"the statement by {shop.driver}")
        lost.pull_the_cable()
        takeovers = [shop.start_on(other) for shop in shops]
        for shop in shops:
            wait_until(
                lambda shop=shop: not shop.is_sleeping(),
                PATIENCE_SECONDS,
                f"the end of {shop.driver}'s session",
            )
        for shop, run in zip(shops, takeovers, strict=True):
            taken = run.finish()
            assert taken.result.outcome is Outcome.SUCCEEDED, (shop.driver, taken.stderr)
            assert taken.result.applied == ("a1",)
            assert shop.database.rows("SELECT entry FROM ledger") == [("a1",)]
        for shop, run in zip(shops, runs, strict=True):
            left = run.finish()
            assert left.result.failure.name == "ConnectionLost", (shop.driver, left.stderr)
            assert left.exit_code == ExitCode.UNAVAILABLE
