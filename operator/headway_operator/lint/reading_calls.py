"""What the arguments of a call in a revision's file say, as far as they are written out there."""

import ast
import re
from dataclasses import dataclass
from typing import Any

from headway_contract.facts import Argument, Call
from headway_operator.lint.tree import qualified

_EXECUTES = (".execute", ".exec_driver_sql", ".scalar", ".scalars")
_PARAMETER = re.compile(r"(?<![:\w]):[A-Za-z_]\w*|%\(\w+\)s|%s")
_SQL = re.compile(r"\s*(?:--|/\*|\w+\s)")


def argument(call: Call, position: int, name: str) -> Argument | None:
    """The argument at this position or of this name."""
    named = next((one for one in call.arguments if one.name == name), None)
    positional = [one for one in call.arguments if not one.name]
    return named or (positional[position] if position < len(positional) else None)


def value_of(given: Argument | None) -> Any:
    """A constant, or a list, tuple or mapping of constants; None for anything else."""
    if given is None or not given.is_literal:
        return None
    try:
        return ast.literal_eval(given.text)
    except (ValueError, SyntaxError):
        return None


def text_of(given: Argument | None) -> str:
    """A text that is written out, empty for anything else."""
    value = value_of(given)
    return value if isinstance(value, str) else ""


def table_of_call(call: Call, name: str = "table_name") -> str:
    """The table that a call of the library names first, with the schema that it gives by its name."""
    return qualified(text_of(argument(call, 99, "schema")), text_of(argument(call, 0, name)))


def shadow_of(call: Call) -> str:
    """The column that a change of type fills beside the one that its call names; empty when it is not written out."""
    column, given = text_of(argument(call, 1, "column")), text_of(argument(call, 99, "shadow"))
    return given or (column and column + "__new")


@dataclass(frozen=True)
class WrittenColumn:
    """What ``sa.Column(…)`` says; the name is empty when it is not written out."""

    name: str = ""
    has_default: bool = False
    """The server gives it one."""


def column_in(given: Argument | None) -> WrittenColumn:
    """Of an argument that is a column."""
    try:
        tree = ast.parse("" if given is None else given.text, mode="eval").body
    except SyntaxError:
        return WrittenColumn()
    if not isinstance(tree, ast.Call) or not tree.args:
        return WrittenColumn()
    name = tree.args[0].value if isinstance(tree.args[0], ast.Constant) else ""
    defaults = (one.value for one in tree.keywords if one.arg == "server_default")
    return WrittenColumn(
        name if isinstance(name, str) else "",
        any(not isinstance(one, ast.Constant) or one.value is not None for one in defaults),
    )


def assignments_of(given: Argument | None) -> tuple[tuple[str, str], ...]:
    """Of a mapping that is written out: its keys with their values, empty where they are no texts."""
    try:
        tree = ast.parse("" if given is None else given.text, mode="eval").body
    except SyntaxError:
        return ()
    if not isinstance(tree, ast.Dict):
        return ()
    return tuple(
        (_constant(key), _constant(value)) for key, value in zip(tree.keys, tree.values, strict=True)
    )


def _constant(node: ast.expr | None) -> str:
    """A text, also one within ``text(…)``."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def written_sql(call: Call) -> str:
    """The SQL that a call executes, ``$1`` for what is filled in when it runs; empty when it is not written out."""
    if not call.name.endswith(_EXECUTES) or not call.arguments:
        return ""
    try:
        tree = ast.parse(call.arguments[0].text, mode="eval").body
    except SyntaxError:
        return ""
    text = _text(tree)
    return _PARAMETER.sub("$1", text) if _SQL.match(text) else ""


def _text(node: ast.expr) -> str:
    """A text, also one within ``text(…)``, with methods called on that, or with places to fill in."""
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(value) if isinstance(value, ast.Constant) else "$1" for value in values)
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner)):
            return _text(inner)
        case ast.Call(args=[inner, *_]):
            return _text(inner)
        case _:
            return ""
