"""The matrix's servers: each is started when the first row asks for it, and all end with the test session."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import psycopg

from headway_cli.embedded import EmbeddedPostgres
from support.matrix import mysql as own_mysql
from support.matrix import postgresqls
from support.matrix.dimensions import Row
from support.matrix.places import MySql, Place, Postgres, Sqlite
from support.postgres import PostgresServer
from support.system_servers import PLACES, mariadb, mysql, pgbouncer
from support.waiting import wait_until

PROGRAMS = {"pgbouncer": "pgbouncer", "mariadb": "mariadbd"}


def why_not(server: str) -> str:
    """What is missing, in a sentence for the summary."""
    program = PROGRAMS.get(server)
    if program and shutil.which(program, path=PLACES) is None:
        return f"{server}: {program} is not installed"
    return own_mysql.why_not(server) or postgresqls.why_not(server)


class Servers:
    """All of them, by name."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._numbers = itertools.count(1)
        self._postgres: dict[str, PostgresServer] = {}

    def close(self) -> None:
        """End what was started."""
        self._stack.close()

    def place(self, row: Row) -> Place:
        """An empty database for a row; it lives as long as its server."""
        if row.server == "sqlite":
            return Sqlite(self._folder("sqlite") / f"{next(self._numbers)}.db")
        if row.server == "mariadb":
            return self._mysql_place(self.mariadb)
        if row.server == "mysql":
            return self._mysql_place(self.mysql)
        if row.server == "pgbouncer":
            return self._postgres_place(row, self.session_pooler)
        return self._postgres_place(row)

    @cached_property
    def session_pooler(self) -> str:
        """URL of a PgBouncer whose clients keep their session."""
        pooled = self._stack.enter_context(
            pgbouncer(self._folder("pgbouncer"), self.postgres("postgresql-18").address, "session")
        )
        wait_until(lambda: _answers(pooled), what="PgBouncer")
        return pooled

    @cached_property
    def mariadb(self) -> str:
        """URL of a MariaDB."""
        return self._stack.enter_context(mariadb(self._folder("mariadb")))

    @cached_property
    def mysql(self) -> str:
        """URL of a MySQL."""
        program = own_mysql.find()
        assert program, "mysql is not there: PYTHONPATH=tests python -m support.matrix.obtain all"
        return self._stack.enter_context(mysql(self._folder("mysql"), program))

    def postgres(self, server: str) -> PostgresServer:
        """A PostgreSQL of this major."""
        if server not in self._postgres:
            embedded = EmbeddedPostgres.start(installed=self._programs(server))
            self._stack.callback(embedded.stop)
            self._postgres[server] = PostgresServer(embedded.url())
        return self._postgres[server]

    def _postgres_place(self, row: Row, pooler: str = "") -> Place:
        server = self.postgres(row.server if row.server.startswith("postgresql") else "postgresql-18")
        database = server.make_database("matrix")
        self._stack.callback(database.close)
        return Postgres(
            database, row.driver, f"{_without_database(pooler or server.address)}/{database.name}"
        )

    def _mysql_place(self, url: str) -> Place:
        name = f"matrix{next(self._numbers)}"
        MySql(url).rows(f"CREATE DATABASE {name}")
        return MySql(f"{_without_database(url)}/{name}")

    def _programs(self, server: str) -> Path | None:
        """The cache may be closed to the unprivileged user that the server runs as: it gets a copy."""
        if server not in postgresqls.VERSIONS:
            return None
        found = postgresqls.find(server)
        assert found, f"{server} is not there: PYTHONPATH=tests python -m support.matrix.obtain all"
        return _copied(found, self._folder(server)) / "bin" if os.geteuid() == 0 else found / "bin"

    def _folder(self, label: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"headway-{label}-"))
        folder.chmod(0o755)
        self._stack.callback(shutil.rmtree, folder)
        return folder


def _without_database(url: str) -> str:
    return url.rsplit("/", 1)[0]


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    target.chmod(0o755)
    return target


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
