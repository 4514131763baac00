"""Which revision file is at fault, and in which line of it: when the history cannot be read, and when one fails.

Rule: a person is told the file as seen from the project's folder; statements and source lines are never quoted.
"""

import os
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

from alembic.script import ScriptDirectory

from headway_runner.project.alembic_env import read_one_by_one
from headway_runner.words.wording import describe

_NO_REVISION = re.compile(r"revision id from filename (\S+?)\.?\s")
_DOUBLED = re.compile(r"Revision (\S+) is present more than once")
_LOADERS = ("load_python_file", "load_module_py")


def what_is_wrong(script: ScriptDirectory, error: BaseException) -> str:
    """A sentence on an error that reading all revision files raised."""
    doubled = _DOUBLED.search(str(error))
    if doubled:
        files = _listed(one.path for one in read_one_by_one(script) if one.revision == doubled[1])
        return f"Two revision files have the revision {doubled[1]}: {files}."
    missing = _missing_variable(error)
    if missing:
        return "The revision file {} has no variable {!r}.".format(*missing)
    file, line = _place(error)
    if file:
        told = describe(error)
        if isinstance(error, SyntaxError) and error.filename == file:
            told = told.replace(f" ({Path(file).name}, line {line})", "")
        return f"The revision file {_short(file)}{f', line {line}' if line else ''}: {told}"
    if isinstance(error, KeyError):
        return _missing_parent(script, str(error.args[0]))
    return describe(error)


def line_in(file: str, error: BaseException) -> str:
    """``a1_users.py, line 7``: the innermost line of this revision file that the error came through; '' for none."""
    real = os.path.realpath(file) if file else ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if os.path.realpath(frame.filename) == real]
    return f"{Path(file).name}, line {lines[-1]}" if lines else ""


def _missing_parent(script: ScriptDirectory, parent: str) -> str:
    by_parent = [one for one in read_one_by_one(script) if parent in _names(one.down_revision)]
    others = [one for one in read_one_by_one(script) if parent in _names(one.dependencies)]
    role = "depends_on" if others and not by_parent else "down_revision"
    files = _listed(one.path for one in by_parent or others)
    return f"There is no revision {parent}, but {files or 'a revision file'} names it as its {role}."


def _names(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _missing_variable(error: BaseException) -> tuple[str, str] | None:
    """The file and the variable that Alembic looked for in it."""
    unnamed = _NO_REVISION.search(f"{error} ")
    if unnamed:
        return unnamed[1], "revision"
    module = getattr(error, "obj", None) if isinstance(error, AttributeError) else None
    name = getattr(error, "name", "")
    if name in ("revision", "down_revision") and getattr(module, "__file__", None):
        return _short(str(getattr(module, "__file__"))), name  # noqa: B009
    return None


def _place(error: BaseException) -> tuple[str, int]:
    """The first line outside Alembic's loader that the error came through: that of the revision file."""
    frames = traceback.extract_tb(error.__traceback__)
    begun = max((place for place, frame in enumerate(frames) if frame.name in _LOADERS), default=None)
    if begun is None:
        return "", 0
    for frame in frames[begun + 1 :]:
        if not frame.filename.startswith("<"):
            return frame.filename, frame.lineno or 0
    # Python could not even read the file: no frame of it exists, and the error knows the line.
    return (str(error.filename or ""), error.lineno or 0) if isinstance(error, SyntaxError) else ("", 0)


def _short(path: str) -> str:
    """As seen from the working directory where it is below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _listed(paths: Iterable[str]) -> str:
    return ", ".join(_short(str(path)) for path in paths)
