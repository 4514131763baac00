"""The text of a revision file and its syntax tree: names with their imports undone, and the source of any part."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from headway_contract.records import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")
"""Fields that hold statements, or what holds some."""
UNNAMED = "…"
"""Stands for what is no name: the result of a call, an item."""


@dataclass(frozen=True)
class Source:
    """A revision file that Python can read."""

    text: str
    tree: ast.Module
    lines: tuple[bytes, ...]
    names: dict[str, str]
    """What its imports bind, by the name in the file."""
    functions: dict[str, Function]

    def text_of(self, node: ast.expr) -> str:
        """The source of a part; columns of the tree are bytes."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if first == last:
            return self.lines[first][node.col_offset : node.end_col_offset].decode()
        middle = self.lines[first + 1 : last]
        ends = self.lines[first][node.col_offset :], self.lines[last][: node.end_col_offset]
        return b"".join((ends[0], *middle, ends[1])).decode()

    def name_of(self, node: ast.expr) -> str:
        """Dotted, with what an import renamed undone."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.name_of(node.value)}.{node.attr}"
        return UNNAMED

    def constant(self, name: str) -> object:
        """What the file assigns to a name at its top, when that is written out; else None."""
        found: object = None
        for statement in self.tree.body:
            if name in _targets(statement) and isinstance(statement, (ast.Assign, ast.AnnAssign)):
                value = statement.value
                found = value.value if isinstance(value, ast.Constant) else None
        return found


def read(text: str) -> Source:
    """Parse a file; raises SyntaxError, or ValueError for a null byte."""
    tree = ast.parse(text)
    statements = _statements(tree)
    functions = [one for one in statements if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return Source(
        text,
        tree,
        tuple(text.encode().splitlines(keepends=True)),
        dict(_imported(statements)),
        {function.name: function for function in reversed(functions)},
    )


def _statements(tree: ast.Module) -> list[ast.AST]:
    """All of them, also within others, the outer ones first: a tenth of what there is in a tree."""
    found: list[ast.AST] = [tree]
    for one in found:
        for name in _BLOCKS:
            found += getattr(one, name, ())
    return found


def is_literal(node: ast.expr) -> bool:
    """A constant, or a list, tuple, set or mapping of constants."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and is_literal(key) for key in node.keys) and all(
            map(is_literal, node.values)
        )
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    return isinstance(node, ast.Constant)


def does_nothing(function: Function | None) -> bool:
    """It is not there, or has a docstring, ``pass``, ``…`` or a refusal for a body."""
    return function is None or all(map(_is_empty, function.body))


def refuses(function: Function | None) -> bool:
    """It does nothing but raise an error, with a text that says why."""
    return function is not None and does_nothing(function) and any(map(_says_why, function.body))


def _says_why(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Raise) or not isinstance(statement.exc, ast.Call):
        return False
    return any(map(_may_be_text, statement.exc.args))


def _may_be_text(node: ast.expr) -> bool:
    """A text that says something, or what is put together when it runs."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(node.value.strip())
    return True


def _is_empty(statement: ast.stmt) -> bool:
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    returns_nothing = isinstance(statement, ast.Return) and statement.value is None
    return is_constant or returns_nothing or isinstance(statement, (ast.Pass, ast.Raise))


def _targets(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.Assign):
        return tuple(target.id for target in statement.targets if isinstance(target, ast.Name))
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return (statement.target.id,)
    return ()


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Of the whole file: functions import too."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            for one in node.names:
                yield one.asname or one.name, f"{start}.{one.name}".removeprefix("..")
