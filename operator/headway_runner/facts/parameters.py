"""Values that a revision hands to a statement beside its text: never told, wherever in a call's source they stand.

``...`` stands for them, so that what is told is still Python.
"""

from __future__ import annotations

import ast
import copy

from headway_runner.facts.python import is_literal

AFTER_THE_FIRST = ("execute", "exec_driver_sql", "executemany", "scalar", "scalars", "bulk_insert")
"""Methods whose first argument is the statement, or the table, and the others its values."""
ALL = ("bindparams", "params", "values")
"""Methods that take nothing but values."""


def may_have_some(text: str) -> bool:
    """Whether one of these methods can be named in a file; letters of other scripts may spell the same name."""
    return not text.isascii() or any(name in text for name in (*AFTER_THE_FIRST, *ALL))


def without_parameters(call: ast.Call) -> ast.Call:
    """The call with ``...`` in place of such values; the same object where it has none."""
    if not any(_hides(one) for one in ast.walk(call)):
        return call
    changed = _Hider().visit(copy.deepcopy(call))
    assert isinstance(changed, ast.Call)
    return changed


def _hides(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and any(map(is_literal, _values(node)))


def _values(call: ast.Call) -> list[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = [one.value for one in call.keywords]
    if name in ALL:
        return [*call.args, *named]
    return [*call.args[1:], *named] if name in AFTER_THE_FIRST else []


class _Hider(ast.NodeTransformer):
    def visit_Call(self, call: ast.Call) -> ast.Call:
        self.generic_visit(call)
        values = {id(one) for one in _values(call) if is_literal(one)}
        hidden = ast.Constant(...)
        call.args = [hidden if id(one) in values else one for one in call.args]
        for keyword in call.keywords:
            keyword.value = hidden if id(keyword.value) in values else keyword.value
        return call
