"""From the request to the exit code: the result is written to the termination log, whatever happens."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headway_contract.codec import Undecodable
from headway_contract.exit_codes import ExitCode
from headway_contract.request import VARIABLE, Mode, RunRequest
from headway_contract.result import Failure, Outcome, RunResult
from headway_runner.modes import preload
from headway_runner.processes.streams import EventStream, take_stdout
from headway_runner.processes.supervisor import Supervisor
from headway_runner.project import stack
from headway_runner.words.reports import last_words, say
from headway_runner.words.secrecy import learn_database, learn_environment, masked, prepare_to_mask, show

KUBERNETES_TERMINATION_LOG = "/dev/termination-log"


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run the request of this environment."""
    stream = EventStream(take_stdout())
    learn_environment(environment)
    try:
        request = RunRequest.from_json(environment.get(VARIABLE, ""))
    except Undecodable as error:
        result = RunResult(Outcome.FAILED, "", failure=Failure("BadRequest", str(error)))
        return _end(result, KUBERNETES_TERMINATION_LOG if Path(KUBERNETES_TERMINATION_LOG).exists() else "")
    show(*(database.name for database in request.databases))
    try:
        result = run(request, stream)
    except ImportError as error:
        result = _broken(request, stack.not_importable(error))
    except Exception as error:  # noqa: BLE001 - the operator must get a result in every case
        from headway_runner.words.failures import print_error
        from headway_runner.words.wording import describe

        print_error(error)
        result = _broken(request, Failure("Unexpected", describe(error)))
    return _end(result, request.termination_log)


def run(request: RunRequest, stream: EventStream) -> RunResult:
    """Do what is asked; where it is worth it, what the passes need is loaded here, for all of them."""
    supervisor = Supervisor(request, stream)
    for database in request.databases:
        learn_database(database, os.environ)
    started = preload.load(request) if preload.is_worth_it(request) else None
    work = work_of(request)
    prepare_to_mask()
    stack.keep()
    supervisor.listen()
    if started is not None:
        supervisor.emit(started)
    result = work(supervisor, request)
    return result if request.drift is None else followed_by_a_comparison(supervisor, request, result)


def work_of(request: RunRequest) -> Callable[[Supervisor, RunRequest], RunResult]:
    """What does it; the modules of the other modes are not loaded."""
    if request.mode is Mode.MIGRATE:
        from headway_runner.modes.migrate import migrate_database

        return migrate_database
    if request.mode is Mode.CHECK:
        from headway_runner.modes.check import check_databases

        return check_databases
    from headway_runner.modes.plan import plan_databases

    return plan_databases


def followed_by_a_comparison(supervisor: Any, request: RunRequest, result: RunResult) -> RunResult:
    """The result with what differs from the models; whatever becomes of that, the run ended as it did."""
    try:
        from headway_runner.modes.after_run import with_drift

        return with_drift(supervisor, request, result, lambda one: _keep(one, request.termination_log))
    except Exception as error:  # noqa: BLE001 - a defect there is told, and takes nothing from the run
        from headway_runner.words.failures import print_error

        print_error(error)
        return result


def exit_code(result: RunResult) -> ExitCode:
    """The process's exit code for a result."""
    if result.failure is not None:
        return result.failure.kind.exit_code
    return ExitCode.STOPPED if result.outcome is Outcome.STOPPED else ExitCode.SUCCEEDED


def _broken(request: RunRequest, failure: Failure) -> RunResult:
    database = request.databases[0].name if request.mode is Mode.MIGRATE else ""
    return RunResult(Outcome.FAILED, request.run, database, failure=failure)


def _end(result: RunResult, termination_log: str) -> int:
    result = masked(result)
    _keep(result, termination_log)
    say(last_words(result))
    sys.stdout.flush()
    return int(exit_code(result))


def _keep(result: RunResult, termination_log: str) -> None:
    """Where it outlives this process: over what was there, so that at no moment there is nothing."""
    if not termination_log:
        return
    text = masked(result).to_json().encode()
    file = os.open(termination_log, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.write(file, text)
        os.ftruncate(file, len(text))
    finally:
        os.close(file)
