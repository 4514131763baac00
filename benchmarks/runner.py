"""The runner's cost beside plain Alembic's: a long history from the start, and a run with nothing to do.

    python benchmarks/runner.py [ROUNDS]

The ways run in turn on databases of their own, medians are compared. "headway" is the runner as a Job of the default
plan mode starts it, with the plan that a Job before it has made; "no plan" as with ``plan.mode: Never``. Prints
seconds and ratios, where the runner's time goes, and the peak of memory; decides nothing.
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
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import phases  # noqa: E402

from headway_cli.embedded import EmbeddedPostgres  # noqa: E402
from headway_contract.planned import Planned  # noqa: E402
from headway_contract.request import VARIABLE, DatabaseRequest, Mode, RunRequest  # noqa: E402
from headway_contract.result import Plan, RunResult  # noqa: E402
from headway_contract.wire import join_document  # noqa: E402
from support.postgres import Database, PostgresServer  # noqa: E402
from support.projects import Project, from_template  # noqa: E402

REVISIONS = 300
T = TypeVar("T")
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


Command = tuple[list[str], dict[str, str]]
"""What is started, and its environment."""


def plain(project: Project, database: Database) -> Command:
    """`alembic upgrade head`, with the URL put into its configuration file."""
    ini = project.folder / "plain.ini"
    text = (project.folder / "alembic.ini").read_text().splitlines()
    lines = [
        "sqlalchemy.url = " + database.url() if line.startswith("sqlalchemy.url") else line for line in text
    ]
    ini.write_text("\n".join(lines))
    return [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"], ENVIRONMENT


def job(
    database: Database,
    mode: Mode,
    planned: Planned | None = None,
    termination_log: str = "",
    facts: bool = False,
) -> Command:
    """The runner as a Job starts it."""
    asked = DatabaseRequest("main", target="head", url_variable="URL", planned=planned)
    request = RunRequest(mode, "bench", (asked,), termination_log=termination_log, tells_facts=facts)
    environment = {**ENVIRONMENT, VARIABLE: request.to_json(), "URL": database.url()}
    return [sys.executable, str(ROOT / "operator" / "headway_runner")], environment


def plan(project: Project, database: Database) -> Command:
    """The Job before the migrating one, as it was before it told what the revisions would do."""
    return job(database, Mode.PLAN)


def plan_with_facts(project: Project, database: Database) -> Command:
    """The Job before the migrating one."""
    return job(database, Mode.PLAN, facts=True)


def without_plan(project: Project, database: Database) -> Command:
    """The migrating Job of plan mode Never."""
    return job(database, Mode.MIGRATE)


def with_plan(project: Project, database: Database) -> Command:
    """The migrating Job of plan mode Always; the plan is made here, and like the operator carries what is pending."""
    file = project.folder / "termination-log"
    arguments, environment = job(database, Mode.PLAN, termination_log=str(file))
    done = subprocess.run(
        arguments, cwd=project.folder, env=environment, check=True, capture_output=True, text=True
    )
    result = RunResult.from_json(file.read_text())
    assert result is not None
    made = result.plan or Plan.from_json(join_document(result.plan_sha256, done.stdout.splitlines()) or "")
    assert made is not None
    found = made.databases[0]
    return job(database, Mode.MIGRATE, found.planned if found.pending else None)


Way = Callable[[Project, Database], Command]
WAYS: dict[str, Way] = {"plain alembic": plain, "headway": with_plan, "no plan": without_plan}
CASES = (f"{REVISIONS} revisions", "nothing to do")


def timed(command: Command, folder: Path) -> float:
    """Seconds that it took."""
    start = time.perf_counter()
    subprocess.run(command[0], cwd=folder, env=command[1], check=True, capture_output=True)
    return time.perf_counter() - start


def measure(
    server: PostgresServer, project: Project, rounds: int, figure: Callable[[Command, Path], T]
) -> dict[str, dict[str, list[T]]]:
    """Figures by case and way."""
    found: dict[str, dict[str, list[T]]] = {case: {way: [] for way in WAYS} for case in CASES}
    for _ in range(rounds):
        for way, command in WAYS.items():
            database = server.make_database()
            for case in CASES:
                found[case][way].append(figure(command(project, database), project.folder))
            server.drop(database)
    return found


def show_seconds(server: PostgresServer, project: Project, rounds: int) -> None:
    """All ways side by side, and what the plan's Job takes for itself."""
    for case, ways in measure(server, project, rounds, timed).items():
        usual = statistics.median(ways["plain alembic"])
        for way, seconds in ways.items():
            ours = statistics.median(seconds)
            print(f"{case:15} {way:14} {ours:5.2f} s   ratio {ours / usual:4.2f}")
    database = server.make_database()
    for case in CASES:
        pairs = [
            [timed(way(project, database), project.folder) for way in (plan, plan_with_facts)]
            for _ in range(rounds)
        ]
        for name, seconds in zip(("the plan alone", "with its facts"), zip(*pairs, strict=True), strict=True):
            print(f"{case:15} {name:14} {statistics.median(seconds):5.2f} s")
        timed(plain(project, database), project.folder)
    server.drop(database)


def show_phases(server: PostgresServer, project: Project, rounds: int) -> None:
    """Where the runner's time goes."""
    for way in ("headway", "no plan"):
        lines: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
        for _ in range(rounds):
            database = server.make_database()
            for case in CASES:
                command, environment = WAYS[way](project, database)
                lines[case].append(phases.timeline(command, project.folder, environment))
            server.drop(database)
        for case, found in lines.items():
            parts = {phase: statistics.median(one[phase] for one in found) for phase in found[0]}
            told = "   ".join(f"{phase} {seconds:.2f} s" for phase, seconds in parts.items())
            print(f"{case:15} {way:14} {told}")
    print(
        f"a fork          {phases.seconds_of_a_fork(ROOT / 'operator') * 1000:.0f} ms, with its answer and end"
    )


def show_memory(server: PostgresServer, project: Project, rounds: int) -> None:
    """Peaks side by side; the target is plain Alembic and 15 MB."""

    def peak(command: Command) -> float:
        return phases.peak_megabytes(command[0], project.folder, command[1])

    found = measure(server, project, rounds, lambda one, folder: peak(one))
    database = server.make_database()
    for case in CASES:
        found[case]["the plan's Job"] = [peak(plan_with_facts(project, database)) for _ in range(rounds)]
        timed(plain(project, database), project.folder)
    server.drop(database)
    for case, ways in found.items():
        usual = statistics.median(ways["plain alembic"])
        for way, megabytes in ways.items():
            ours = statistics.median(megabytes)
            print(f"{case:15} {way:14} {ours:5.1f} MB   {ours - usual:+5.1f} MB (target: +15)")


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres.start() as embedded:
        project = project_with_history(Path(folder))
        server = PostgresServer(embedded.url())
        # Compiles the revision files and warms the disk's cache.
        timed(plain(project, server.make_database()), project.folder)
        for title, show in (
            ("time", show_seconds),
            ("headway's phases", show_phases),
            ("peak memory", show_memory),
        ):
            print(f"\n{title}")
            show(server, project, rounds)


if __name__ == "__main__":
    main()
