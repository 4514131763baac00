"""The runner as the subprocess that it is in a cluster: `python operator/headway_runner`, events on its stdout."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway_contract.events import Event
from headway_contract.request import VARIABLE, DatabaseRequest, Mode, RunRequest
from headway_contract.result import RunResult
from headway_contract.wire import MARK, from_line
from support.projects import Project
from support.waiting import wait_until

RUNNER = Path(__file__).parents[2] / "operator" / "headway_runner"
SECONDS = 60
PYTHON = os.environ.get("HEADWAY_TEST_RUNNER_PYTHON", sys.executable)
"""The interpreter that plays the image's: another one has another Python, Alembic, SQLAlchemy or drivers."""


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    result: RunResult
    events: list[Event]
    exit_code: int
    stdout: str
    stderr: str

    def kinds(self) -> list[str]:
        """The events' kinds, without heartbeats."""
        return [type(event).__name__ for event in self.events if type(event).__name__ != "Heartbeat"]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


@dataclass
class RunningRunner:
    """A runner that has been started."""

    process: subprocess.Popen[str]
    folder: Path
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.folder / "stdout"

    def events(self) -> list[Event]:
        """The events so far."""
        lines = self.output.read_text().split("\n")[:-1]
        return [envelope.event for envelope in map(from_line, lines) if envelope]

    def wait_for(self, kind: type[Any], **facts: object) -> None:
        """Wait for an event of this kind with these facts."""

        def arrived() -> bool:
            return any(
                isinstance(event, kind)
                and all(getattr(event, name) == value for name, value in facts.items())
                for event in self.events()
            )

        try:
            wait_until(arrived, timeout=SECONDS, what=f"{kind.__name__} {facts}")
        except TimeoutError:
            self.process.kill()
            self.process.wait()
            raise

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Signal the runner's own process only."""
        self.process.send_signal(number)

    def finish(self) -> Run:
        """Wait for its end."""
        exit_code = self.process.wait(SECONDS)
        message = self.folder / "termination"
        result = RunResult.from_json(message.read_text()) if message.exists() else None
        stderr = (self.folder / "stderr").read_text()
        assert result is not None, f"the runner left no result (exit code {exit_code}):\n{stderr}"
        return Run(result, self.events(), exit_code, self.output.read_text(), stderr)


def request_for(*databases: DatabaseRequest, mode: Mode = Mode.MIGRATE, **options: Any) -> RunRequest:
    """A request with what tests rarely care about filled in."""
    return RunRequest(mode=mode, run="test-run", databases=databases, **options)


def database_request(name: str = "main", **options: Any) -> DatabaseRequest:
    """A database whose URL is in `URL_<name>`."""
    return DatabaseRequest(name=name, **{"url_variable": f"URL_{name}", **options})


def start_runner(
    folder: Path,
    request: RunRequest,
    environment: dict[str, str],
    scratch: Path,
    python: str = PYTHON,
    command: tuple[str, ...] = (str(RUNNER),),
) -> RunningRunner:
    """Start it with a working folder, a request, URLs, and a scratch folder for what it writes."""
    from dataclasses import replace

    scratch.mkdir(parents=True, exist_ok=True)
    request = replace(request, termination_log=str(scratch / "termination"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADWAY"))}
    with (scratch / "stdout").open("w") as stdout, (scratch / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [python, *command],
            cwd=folder,
            env={**clean, **environment, VARIABLE: request.to_json()},
            stdout=stdout,
            stderr=stderr,
            text=True,
        )
    # A test that fails before it waits leaves nothing running behind the session.
    atexit.register(process.kill)
    return RunningRunner(process, scratch)


_numbers = iter(range(1, 1_000_000))


def run_runner(project: Project, request: RunRequest, urls: dict[str, str], **environment: str) -> Run:
    """Run to the end; `urls` are by the database's name."""
    variables = {f"URL_{name}": url for name, url in urls.items()}
    scratch = project.folder / f"run-{next(_numbers)}"
    return start_runner(project.folder, request, {**variables, **environment}, scratch).finish()


def start(project: Project, request: RunRequest, urls: dict[str, str], **environment: str) -> RunningRunner:
    """Start and return at once."""
    variables = {f"URL_{name}": url for name, url in urls.items()}
    return start_runner(
        project.folder, request, {**variables, **environment}, project.folder / f"run-{next(_numbers)}"
    )


def migrate(
    project: Project,
    url: str,
    environment: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    **database: Any,
) -> Run:
    """Migrate one database named main."""
    request = request_for(database_request(**database), **(options or {}))
    return run_runner(project, request, {"main": url}, **(environment or {}))


def plan(
    project: Project, urls: dict[str, str], options: dict[str, Any] | None = None, **database: Any
) -> Run:
    """Plan databases by name."""
    databases = [database_request(name, **database) for name in urls]
    return run_runner(project, request_for(*databases, mode=Mode.PLAN, **(options or {})), urls)


def only_events(stdout: str) -> bool:
    """Whether nothing but events is on the runner's stdout."""
    return all(line.startswith(MARK) for line in stdout.splitlines())
