"""Servers of the system's packages for ``tests/system``: as an unprivileged user, on free loopback ports."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from support.processes import ServerProcess, free_port
from support.waiting import wait_until

PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
UNPRIVILEGED = "nobody"


def _program(name: str) -> str:
    found = shutil.which(name, path=PLACES)
    assert found, f"{name} is not installed: make test-all installs it where it may"
    return found


def _give_away(folder: Path) -> None:
    """The servers refuse to run as root, so root hands them their folder."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, UNPRIVILEGED)


def _as_unprivileged() -> list[str]:
    """A change of user clears the wish to die with the test run, so it is said again."""
    if os.geteuid() != 0:
        return []
    return [_program("setpriv"), f"--reuid={UNPRIVILEGED}", "--clear-groups", "--pdeathsig=KILL"]


@contextmanager
def pgbouncer(folder: Path, address: str, pool_mode: str = "transaction") -> Iterator[str]:
    """A pooler before the server of this PostgreSQL URL; yields the same URL through it."""
    parts = urlsplit(address)
    port = free_port()
    (folder / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={parts.hostname} port={parts.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder}/users.txt\npool_mode = {pool_mode}\n"
    )
    _give_away(folder)
    server = ServerProcess(
        [*_as_unprivileged(), _program("pgbouncer"), str(folder / "pgbouncer.ini")], folder / "log"
    )
    server.start()
    try:
        yield address.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{port}")
    finally:
        server.stop()


@contextmanager
def mariadb(folder: Path, address: str = "127.0.0.1") -> Iterator[str]:
    """A MariaDB with a database ``shop``; yields its SQLAlchemy URL (driver PyMySQL)."""
    port, data = free_port(), folder / "data"
    data.mkdir()
    _give_away(folder)
    command = [
        _program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run([*_as_unprivileged(), *command], check=True, capture_output=True)
    options = [
        f"--datadir={data}",
        f"--port={port}",
        f"--bind-address={address}",
        f"--socket={folder}/socket",
    ]
    server = ServerProcess(
        [*_as_unprivileged(), _program("mariadbd"), "--no-defaults", *options], folder / "log"
    )
    server.start()
    try:
        wait_until(lambda: _has_made_database(port), timeout=60, what="MariaDB")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/shop"
    finally:
        server.stop(patience=20)


@contextmanager
def mysql(folder: Path, program: Path, address: str = "127.0.0.1") -> Iterator[str]:
    """A MySQL with a database ``shop``; yields its SQLAlchemy URL (driver PyMySQL).

    It may lie in a folder that only root may enter, so it runs as whoever runs the tests.
    """
    port, data, base = free_port(), folder / "data", program.parents[1]
    account = ["--user=root"] if os.geteuid() == 0 else []
    places = [f"--basedir={base}", f"--datadir={data}", f"--lc-messages-dir={base}/share/mysql"]
    command = [str(program), "--no-defaults", *account, *places]
    subprocess.run([*command, "--initialize-insecure"], check=True, capture_output=True)
    network = [f"--port={port}", f"--bind-address={address}", f"--socket={folder}/socket"]
    # The package expects folders of an installation.
    network += ["--mysqlx=OFF", "--secure-file-priv=NULL", f"--pid-file={folder}/pid"]
    server = ServerProcess([*command, *network], folder / "log")
    server.start()
    try:
        wait_until(lambda: _has_made_database(port), timeout=60, what="MySQL")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/shop"
    finally:
        server.stop(patience=20)


def _has_made_database(port: int) -> bool:
    try:
        with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
            connection.cursor().execute("CREATE DATABASE IF NOT EXISTS shop")
    except pymysql.OperationalError:
        return False
    return True
