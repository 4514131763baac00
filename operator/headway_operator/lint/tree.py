"""Small questions to a tree of ``lint.parser``: names, columns, functions, what is below."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from headway_operator.lint.parser import Tree

DEFAULT_SCHEMA = "public"


def opened(node: Tree) -> tuple[str, Tree]:
    """The name of a node and what is in it."""
    return next(iter(node.items()))


def words(nodes: Iterable[Tree]) -> tuple[str, ...]:
    """The texts of a list of strings."""
    return tuple(str(node["String"].get("sval", "")) for node in nodes if "String" in node)


def qualified(schema: str, name: str) -> str:
    """How a table is called here: the usual schema is left out."""
    return name if schema in ("", DEFAULT_SCHEMA) else f"{schema}.{name}"


def named(parts: Sequence[str]) -> str:
    """The same of ``schema.name`` in parts."""
    return qualified(parts[-2] if len(parts) > 1 else "", parts[-1]) if parts else ""


def renamed(table: str, to: str) -> str:
    """How it is called with this name: it stays in its schema."""
    return ".".join([*table.split(".")[:-1], to])


def table_of(relation: Tree | None) -> str:
    """The name in a RangeVar."""
    relation = relation or {}
    return qualified(str(relation.get("schemaname", "")), str(relation.get("relname", "")))


def below(tree: Any, kind: str) -> Iterator[Tree]:
    """What is in every node of this kind, however deep."""
    for name, body in nodes(tree):
        if name == kind:
            yield body


def nodes(tree: Any) -> Iterator[tuple[str, Tree]]:
    """All nodes with their names, in the order of the text; without recursion, so depth does no harm."""
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, dict):
            if name:
                yield name, node
            waiting += [(key, value) for key, value in reversed(node.items())]
        elif isinstance(node, (list, tuple)):
            waiting += [("", value) for value in reversed(node)]


def tables_read(query: Tree) -> tuple[tuple[str, ...], bool]:
    """The tables that it reads, and whether that is all that it reads: a function may give any number of rows."""
    named_within = {str(one.get("ctename", "")) for one in below(query, "CommonTableExpr")}
    read = tuple(table for one in below(query, "RangeVar") if (table := table_of(one)) not in named_within)
    return read, bool(read) and not any(True for _ in below(query, "RangeFunction"))


def columns_in(expression: Any) -> tuple[str, ...]:
    """The columns that an expression names, without their tables."""
    found = (words(reference.get("fields", ())) for reference in below(expression, "ColumnRef"))
    return tuple(fields[-1] for fields in found if fields)


def functions_in(expression: Any) -> tuple[str, ...]:
    """The functions that an expression calls, without their schemas."""
    found = (words(call.get("funcname", ())) for call in below(expression, "FuncCall"))
    return tuple(fields[-1] for fields in found if fields)


def constant_of(node: Tree | None) -> str | None:
    """A constant as text, None when it is none."""
    constant = (node or {}).get("A_Const")
    if constant is None:
        return None
    if "sval" in constant:
        return str(constant["sval"].get("sval", ""))
    if "ival" in constant:
        return str(constant["ival"].get("ival", 0))
    if "fval" in constant:
        return str(constant["fval"].get("fval", ""))
    if "boolval" in constant:
        return str(constant["boolval"].get("boolval", False)).lower()
    return None
