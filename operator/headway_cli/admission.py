"""The rules that an API server evaluates at admission (``x-kubernetes-validations``), evaluated without one.

They are CEL, so they are evaluated as they stand in the CustomResourceDefinition, with the few functions that
Kubernetes adds to the language. One rule uses a macro that the library does not have (``all`` with an index); it is
in Python here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import cel

from headway_cli.problems import Problem
from headway_cli.schema import Schema, dotted, resource_schema

Path = tuple[str | int, ...]


def broken_rules(resource: dict[str, Any], where: str) -> list[Problem]:
    """What the rules object to, in the words of the resource's definition. The resource has its defaults."""
    return [
        Problem(where, dotted(path) + field, message)
        for path, value, rule in _rules(resource_schema(), resource, ())
        for field, message in ((rule.get("fieldPath", ""), " ".join(rule["message"].split())),)
        if not holds(rule["rule"], value)
    ]


def holds(rule: str, value: Any) -> bool:
    """Whether this rule is true of this value."""
    by_hand = _BY_HAND.get("".join(rule.split()))
    if by_hand is not None:
        return by_hand(value)
    return bool(cel.evaluate(rule, _context(value)))


def _rules(schema: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Any, dict[str, str]]]:
    """Each rule with the value that it is about."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path, value, rule
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rules(schema.get("items", {}), item, (*path, index))
    elif isinstance(value, dict):
        rest = schema.get("additionalProperties") or {}
        for name, item in value.items():
            yield from _rules(schema.get("properties", {}).get(name, rest), item, (*path, name))


def _context(value: Any) -> cel.Context:
    """``self``, and the functions of Kubernetes' CEL libraries for strings and URLs that the rules use."""
    context = cel.Context()
    context.add_variable("self", value)
    context.add_function("lastIndexOf", lambda text, part: text.rfind(part))
    context.add_function("substring", lambda text, start, end=None: text[start:end])
    context.add_function("isURL", _is_url)
    context.add_function("url", lambda text: {"text": text})
    context.add_function("getScheme", lambda url: urlsplit(url["text"]).scheme)
    context.add_function("getHostname", lambda url: urlsplit(url["text"]).hostname or "")
    return context


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def depends_on_names_only_earlier_databases(databases: list[dict[str, Any]]) -> bool:
    """``spec.databases``: no cycle can be written."""
    names = [database["name"] for database in databases]
    return all(
        name in names[:index]
        for index, database in enumerate(databases)
        for name in database.get("dependsOn", ())
    )


_BY_HAND: dict[str, Callable[[Any], bool]] = {
    "self.all(i,database,!has(database.dependsOn)"
    "||database.dependsOn.all(name,self.exists(j,earlier,j<i&&earlier.name==name)))": (
        depends_on_names_only_earlier_databases
    ),
}
