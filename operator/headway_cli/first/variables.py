"""In which environment variables an env.py looks for URLs. It is read, not run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_OF_A_URL = re.compile(r"URL|URI|DSN", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALLS = ("getenv", "environ.get", "environ.pop")


def url_variables(env: Path) -> tuple[str, ...]:
    """Those with URL, URI or DSN in their names, in the order of the file; of a file that is no Python none."""
    try:
        tree = ast.parse(env.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    names = [name for node in ast.walk(tree) for name in _read_by(node)]
    return tuple(dict.fromkeys(name for name in names if _OF_A_URL.search(name) and _may_be_set(name)))


def variable_of(database: str, variables: tuple[str, ...], is_alone: bool) -> str:
    """The one that has the database's name in its own, or the only one that there is; else ''."""
    word = database.replace("-", "_").upper()
    own = [one for one in variables if word in one.upper()]
    if len(own) == 1:
        return own[0]
    return variables[0] if len(variables) == 1 and (is_alone or not own) else ""


def _may_be_set(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not name.startswith("HEADWAY_")


def _read_by(node: ast.AST) -> Iterator[str]:
    """``os.environ["NAME"]``, ``environ.get("NAME")``, ``os.getenv("NAME")``."""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        yield from _text(node.slice)
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith(_CALLS):
        yield from _text(node.args[0])


def _text(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
