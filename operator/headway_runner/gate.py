"""``python3 /headway/headway_runner gate``: waits until the database has the revisions that this image's code needs.

For the application's own pods, as an init container with the application's image: it asks the database and nobody
else, so it needs no right at the API server and works with whatever runs the migration. Revisions that may follow the
roll-out (``post_deploy = True``) are not waited for, and a database that is ahead is fine.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from headway_contract.exit_codes import ExitCode
from headway_contract.request import VARIABLE, DatabaseRequest, Mode, RunRequest
from headway_contract.result import Plan, RunResult
from headway_contract.sentences import sentence
from headway_contract.wire import join_document
from headway_runner.gate_arguments import add_arguments

NOT_YET = 1
LOOK_SECONDS = 60.0
"""How long one look may take: a database that does not answer is asked again."""
HOPELESS = (
    "BadRequest", "OldPython", "AlembicMissing", "ProjectNotFound", "InvalidUrl", "DriverMissing",
    "MultipleHeads", "UnknownTarget", "InvalidTarget", "InvalidHistory", "WrongDatabase", "NeverConfigured",
)  # fmt: skip
"""Failures that waiting does not mend: they are told at once, for the pod to fail."""


def main(arguments: Sequence[str]) -> int:
    """0 when the database is there, 1 when the time was over before, else the runner's code of what is hopeless."""
    parser = argparse.ArgumentParser(
        prog="headway_runner gate",
        description="Wait until the database has the revisions that this image's code needs.",
    )
    add_arguments(parser)
    return start(parser.parse_args(arguments))


def start(options: argparse.Namespace) -> int:
    """The same with arguments that were read."""
    request = RunRequest(
        Mode.PLAN, "gate", (_database(options),), environment=os.environ.get("ENVIRONMENT", "")
    )
    return wait(lambda: look(request), options.timeout, options.every)


def wait(
    look: Callable[[], RunResult | None],
    timeout: float,
    every: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Look until the gate is open; what is told is told once."""
    deadline, said = clock() + timeout, ""
    while True:
        result = look()
        sentence, code = judge(result)
        if sentence != said:
            print(f"gate: {sentence}", flush=True)
            said = sentence
        if code is not None:
            return code
        if clock() + every >= deadline:
            print(f"gate: gave up after {timeout:g} s", flush=True)
            return NOT_YET
        sleep(every)


def judge(result: RunResult | None) -> tuple[str, int | None]:
    """What a look showed, as a sentence, and the exit code when there is nothing to wait for."""
    if result is None:
        return "the look at the database did not end in time or without a result", None
    failure = result.failure
    if failure is not None:
        hopeless = failure.name in HOPELESS
        return f"{sentence(failure.message)} {failure.kind.next_step}".rstrip(), (
            int(failure.kind.exit_code) if hopeless else None
        )
    if result.plan is None:
        return "the look at the database did not end with a plan", None
    (plan,) = result.plan.databases
    needed = [one.revision for one in plan.pending if not one.post_deploy]
    if needed:
        count = f"{len(needed)} revision{'' if len(needed) == 1 else 's'}"
        return f"{count} to come, the first is {needed[0]}", None
    return f"open: the database is at {', '.join(plan.current) or 'its base'}", int(ExitCode.SUCCEEDED)


def look(request: RunRequest) -> RunResult | None:
    """One plan, in a process of its own that changes nothing; None when it left no result."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "result"
        environment = {**os.environ, VARIABLE: replace(request, termination_log=str(log)).to_json()}
        command = [sys.executable, str(Path(__file__).parent)]
        try:
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, check=False, timeout=LOOK_SECONDS
            )
        except subprocess.TimeoutExpired:
            return None
        result = RunResult.from_json(log.read_text()) if log.exists() else None
    return None if result is None else with_document(result, done.stdout.decode(errors="replace"))


def with_document(result: RunResult, output: str) -> RunResult:
    """A plan that did not fit into the result was told before it."""
    if result.plan is not None or not result.plan_sha256:
        return result
    document = join_document(result.plan_sha256, output.splitlines())
    return replace(result, plan=Plan.from_json(document) if document else None)


def _database(options: argparse.Namespace) -> DatabaseRequest:
    return DatabaseRequest(
        "database",
        target=options.target,
        url_variable=options.url_env,
        config=options.config,
        section=options.section,
        version_table=options.version_table,
        version_table_schema=options.version_table_schema,
        x=tuple(_pair(one) for one in options.x),
    )


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
