"""Types of columns: how SQLAlchemy's are called in PostgreSQL, and which changes leave the stored bytes alone."""

import ast
import re

from headway_contract.facts import Argument
from headway_operator.lint.changes import Type

_NAMES = {
    "string": "varchar",
    "unicode": "varchar",
    "varchar": "varchar",
    "autostring": "varchar",
    "text": "text",
    "unicodetext": "text",
    "char": "bpchar",
    "integer": "int4",
    "int": "int4",
    "biginteger": "int8",
    "bigint": "int8",
    "smallinteger": "int2",
    "smallint": "int2",
    "numeric": "numeric",
    "decimal": "numeric",
    "float": "float8",
    "double": "float8",
    "boolean": "bool",
    "date": "date",
    "json": "json",
    "jsonb": "jsonb",
    "uuid": "uuid",
    "largebinary": "bytea",
    "bytea": "bytea",
}
_TIMES = {"datetime": "timestamp", "timestamp": "timestamp", "time": "time"}
_ENUM = re.compile(r"(?is)(?:\w+\.)*enum\((?!.*native_enum).*\bname\s*=\s*['\"](\w+)['\"]")
"""Its name stands behind its values, of which a long call has lost some."""
_NUMBERS = ("length", "precision", "scale")
_TEXTS = ("varchar", "text")


def type_in_python(given: Argument | None) -> Type | None:
    """What ``sa.String(length=50)`` is in PostgreSQL; None when it is none of the usual types."""
    if given is not None and (enum := _ENUM.match(given.text)):
        return Type(enum[1])
    try:
        tree = ast.parse("" if given is None else given.text, mode="eval").body
    except SyntaxError:
        return None
    call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name.lower() in _TIMES:
        zoned = any(one.arg == "timezone" and ast.unparse(one.value) == "True" for one in call.keywords)
        return Type(_TIMES[name.lower()] + ("tz" if zoned else ""))
    if name.lower() not in _NAMES:
        return None
    numbers = (*call.args, *(one.value for one in call.keywords if one.arg in _NUMBERS))
    return Type(
        _NAMES[name.lower()], tuple(number for one in numbers if (number := _number(one)) is not None)
    )


def keeps_its_bytes(old: Type, new: Type) -> bool:
    """PostgreSQL changes only the catalog: the same type, or one with more room."""
    if old.is_array or new.is_array:
        return old == new
    if old.name in _TEXTS and new.name in _TEXTS:
        return not new.numbers or bool(
            old.numbers and old.name == "varchar" and new.numbers[0] >= old.numbers[0]
        )
    if old.name == new.name == "numeric":
        return not new.numbers or (bool(old.numbers) and _more_digits(old.numbers, new.numbers))
    return old == new


def may_keep_its_bytes(new: Type) -> bool:
    """There is an old type from which it is only a change of the catalog, and people often come from that."""
    return new.name in (*_TEXTS, "numeric")


def _more_digits(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    old_scale, new_scale = (numbers[1] if len(numbers) > 1 else 0 for numbers in (old, new))
    return new[0] >= old[0] and new_scale == old_scale


def _number(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None
