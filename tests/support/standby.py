"""A primary with a streaming standby, both embedded: copied by pg_basebackup, replayed, and held up on demand.

Both are servers of our own processes and end with the process that started them, however that ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from headway_cli import embedded
from headway_cli.embedded import EmbeddedPostgres
from support.postgres import PostgresServer
from support.waiting import wait_until

STANDBY = "standby-one"
"""Its ``application_name``."""


@dataclass
class Replicated:
    """A primary that tests make databases on, and its standby."""

    primary: PostgresServer
    standby: str
    """URL of the standby's administrative database."""

    def pause_replay(self) -> None:
        """From now on the standby receives but does not apply."""
        self.on_standby("SELECT pg_wal_replay_pause()")
        wait_until(
            lambda: self.on_standby("SELECT pg_get_wal_replay_pause_state() = 'paused'"),
            what="a paused standby",
        )

    def resume_replay(self) -> None:
        """And now it applies again."""
        self.on_standby("SELECT pg_wal_replay_resume()")

    def on_standby(self, query: str) -> object:
        """The first value of a query there."""
        with psycopg.connect(self.standby, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchone()[0]

    def on_primary(self, query: str) -> object:
        """The first value of a query there."""
        with psycopg.connect(self.primary.address, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchone()[0]

    def is_level(self) -> bool:
        """The standby has applied all that the primary wrote."""
        state = "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()"
        return bool(self.on_primary(state))


@contextmanager
def replicated() -> Iterator[Replicated]:
    """Start both (a few seconds); the standby streams when this yields."""
    settings = {"wal_level": "logical", "autovacuum_naptime": "1s", "track_commit_timestamp": "on"}
    with EmbeddedPostgres.start(settings=settings) as primary, _standby_of(primary) as standby:
        found = Replicated(PostgresServer(primary.url()), standby.url())
        wait_until(found.is_level, what="a streaming standby")
        yield found


@contextmanager
def _standby_of(primary: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    account = embedded._Account.current()
    home = Path(tempfile.mkdtemp(prefix="headway-standby-"))
    try:
        if account.drop_root:
            os.chown(home, account.uid, account.gid)
        programs = embedded._programs(home, account)
        _copy(primary, home, programs, account)
        port = embedded._free_port()
        process = embedded._launch(home, programs, account, port, embedded._SETTINGS)
        with EmbeddedPostgres(process, home, port, primary.password) as standby:
            assert embedded._is_ready(process, home), embedded._log_tail(home)
            yield standby
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _copy(primary: EmbeddedPostgres, home: Path, programs: Path, account: embedded._Account) -> None:
    source = f"{primary.url()}?application_name={STANDBY}"
    command = [str(programs / "pg_basebackup"), "-D", str(home / "data"), "-d", source, "-R", "-X", "stream"]
    done = account.run([*command, "--checkpoint=fast", "--no-sync"], home)
    assert done.returncode == 0, done.stderr
