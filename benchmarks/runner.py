"""The runner's cost beside plain Alembic's: a long history from the start, and a run with nothing to do.

    python benchmarks/runner.py [ROUNDS]

Pairs run in turn on databases of their own, medians are compared. Prints seconds and ratios; decides nothing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests")]

from headway_cli.embedded import EmbeddedPostgres  # noqa: E402
from headway_contract.request import VARIABLE, DatabaseRequest, Mode, RunRequest  # noqa: E402
from support.postgres import Database, PostgresServer  # noqa: E402
from support.projects import Project, from_template  # noqa: E402

REVISIONS = 300
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Without compiled revision files each pass compiles them anew; plain Alembic makes one pass, the runner two."""


def project_with_history(folder: Path) -> Project:
    """Small revisions: every tenth makes a table, the others add a column to it."""
    project = from_template(folder)
    for number in range(REVISIONS):
        table = f"t{number // 10}"
        if number % 10 == 0:
            upgrade = f"op.create_table('{table}', sa.Column('id', sa.Integer, primary_key=True))"
        else:
            upgrade = f"op.add_column('{table}', sa.Column('c{number % 10}', sa.String(20)))"
        project.revision(f"r{number:04}", upgrade)
    return project


def plain(project: Project, database: Database) -> None:
    """`alembic upgrade head`, with the URL put into its configuration file."""
    ini = project.folder / "plain.ini"
    text = (project.folder / "alembic.ini").read_text().splitlines()
    lines = [
        "sqlalchemy.url = " + database.url() if line.startswith("sqlalchemy.url") else line for line in text
    ]
    ini.write_text("\n".join(lines))
    command = [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"]
    subprocess.run(command, cwd=project.folder, env=ENVIRONMENT, check=True, capture_output=True)


def runner(project: Project, database: Database) -> None:
    """The runner as a Job starts it."""
    request = RunRequest(Mode.MIGRATE, "bench", (DatabaseRequest("main", target="head", url_variable="URL"),))
    environment = {**ENVIRONMENT, VARIABLE: request.to_json(), "URL": database.url()}
    command = [sys.executable, str(ROOT / "operator" / "headway_runner")]
    subprocess.run(command, cwd=project.folder, env=environment, check=True, capture_output=True)


def timed(action: Callable[[Project, Database], None], project: Project, database: Database) -> float:
    """Seconds that it took."""
    start = time.perf_counter()
    action(project, database)
    return time.perf_counter() - start


def measure(server: PostgresServer, project: Project, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by case and way."""
    seconds: dict[str, dict[str, list[float]]] = {
        case: {"plain": [], "runner": []} for case in (f"{REVISIONS} revisions", "nothing to do")
    }
    for _ in range(rounds):
        for name, action in (("plain", plain), ("runner", runner)):
            database = server.make_database()
            seconds[f"{REVISIONS} revisions"][name].append(timed(action, project, database))
            seconds["nothing to do"][name].append(timed(action, project, database))
            server.drop(database)
    return seconds


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres.start() as embedded:
        project = project_with_history(Path(folder))
        server = PostgresServer(embedded.url())
        database = server.make_database()
        plain(project, database)  # compiles the revision files and warms the disk's cache
        for case, ways in measure(server, project, rounds).items():
            usual, ours = (statistics.median(ways[name]) for name in ("plain", "runner"))
            print(
                f"{case:15} plain alembic {usual:5.2f} s   headway {ours:5.2f} s   ratio {ours / usual:4.2f}"
            )


if __name__ == "__main__":
    main()
