"""What a person may have left out when env.py could not begin: said after the failure's own sentence."""

import traceback
from dataclasses import replace

from headway_contract.result import Failure
from headway_runner.processes.task import Task

NO_URL = "No URL was given for this database, so env.py had to find it by itself."


def with_hint(failure: Failure, error: BaseException, task: Task) -> Failure:
    """The same failure, with the hint in its message when there is one."""
    hint = _hint(failure, error, task)
    return replace(failure, message=f"{failure.message.rstrip('.')}. {hint}") if hint else failure


def _hint(failure: Failure, error: BaseException, task: Task) -> str:
    if failure.name == "DatabaseDoesNotExist" and task.url is not None and _is_sqlite(task):
        return f"The file is {task.url.database}, and its folder must be there and writable."
    if failure.name != "ProjectFailed":
        return ""
    variable = missing_variable(error)
    if variable and task.url is not None:
        return f"If env.py takes the database's URL from {variable}, say so: databases[].urlEnv: {variable}."
    return NO_URL if task.url is None else ""


def missing_variable(error: BaseException) -> str:
    """The environment variable that was asked for and is not set; '' when it was something else."""
    if not isinstance(error, KeyError) or not error.args or not isinstance(error.args[0], str):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    is_of_environ = bool(frames) and frames[-1].filename.endswith(("os.py", "<frozen os>"))
    return error.args[0] if is_of_environ else ""


def _is_sqlite(task: Task) -> bool:
    return task.url is not None and task.url.get_backend_name() == "sqlite"
