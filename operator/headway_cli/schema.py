"""The CustomResourceDefinition's own schema, applied without a cluster: structure, unknown fields, defaults.

Like an API server with strict field validation: what it would refuse is refused here, and what it would fill in is
filled in.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.exceptions import ValidationError

from headway_cli.problems import BadInput, Problem

_FILE = "databasemigrations.yaml"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml, as its wheels are."""

_SHOWN = 60
"""Longer values are not repeated in a message."""

Schema = dict[str, Any]


@cache
def resource_schema() -> Schema:
    """The OpenAPI schema of the resource, from the wheel or the source tree."""
    packaged = Path(__file__).with_name(_FILE)
    source = Path(__file__).resolve().parents[2] / "crds" / _FILE
    definition = yaml.load((packaged if packaged.exists() else source).read_text(encoding="utf-8"), _Loader)
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def checked(body: dict[str, Any], where: str) -> dict[str, Any]:
    """The resource with the schema's defaults, its status left out; raises :class:`BadInput`."""
    wish = {key: value for key, value in body.items() if key != "status"}
    schema = resource_schema()
    filled: dict[str, Any] = with_defaults(schema, wish)
    validator = jsonschema.Draft202012Validator(_strict(schema))
    errors = sorted(
        validator.iter_errors(filled), key=lambda error: [str(part) for part in error.absolute_path]
    )
    problems = [problem for error in errors for problem in _problems(error, where)]
    problems += [Problem(where, *doubled) for doubled in _doubled(schema, filled, ())]
    if problems:
        raise BadInput(*problems)
    return filled


def with_defaults(schema: Schema, value: Any) -> Any:
    """A copy in which absent and null fields have the schema's defaults, from the outside in as API servers do it."""
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    properties: dict[str, Schema] = schema.get("properties", {})
    filled = {name: item for name, item in value.items() if item is not None or name not in properties}
    for name, part in properties.items():
        if name not in filled and "default" in part:
            filled[name] = copy.deepcopy(part["default"])
    rest = schema.get("additionalProperties") or {}
    return {name: with_defaults(properties.get(name, rest), item) for name, item in filled.items()}


def dotted(path: Sequence[str | int]) -> str:
    """``spec.databases[1].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _strict(schema: Schema) -> Schema:
    """The same as plain JSON Schema in which an object has no other fields than those described."""
    strict = {key: value for key, value in schema.items() if key not in ("default", "format", "description")}
    if schema.get("x-kubernetes-int-or-string"):
        strict["type"] = ["integer", "string"]
    if "properties" in schema:
        strict["properties"] = {name: _strict(part) for name, part in schema["properties"].items()}
        strict.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        strict["additionalProperties"] = _strict(schema["additionalProperties"])
    if "items" in schema:
        strict["items"] = _strict(schema["items"])
    return strict


def _problems(error: ValidationError, where: str) -> Iterator[Problem]:
    path, part = list(error.absolute_path), _schema_at(list(error.absolute_path))
    value: Any = error.instance
    limit: Any = error.validator_value
    if error.validator == "additionalProperties":
        for name in sorted(set(value) - set(part["properties"])):
            yield Problem(
                where, dotted([*path, name]), "there is no such field", _fields(name, part["properties"])
            )
    elif error.validator == "required":
        # One error comes for each missing field; its message is the only place that says which.
        name = next(name for name in part["required"] if error.message.startswith(repr(name)))
        yield Problem(
            where, dotted([*path, name]), "is missing", _schema_at([*path, name]).get("description", "")
        )
    else:
        yield Problem(
            where, dotted(path), _what(str(error.validator), value, limit), part.get("description", "")
        )


def _fields(name: str, known: Mapping[str, Schema]) -> str:
    """The one that was probably meant, here or one level deeper, else all that there are."""
    deeper = [field for field, part in known.items() if name in part.get("properties", {})]
    if deeper:
        return f"Did you mean {deeper[0]}.{name}?"
    by_lower_case = {field.lower(): field for field in known}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {by_lower_case[close[0]]}?"
    return f"The fields here are: {', '.join(sorted(known))}."


def _what(validator: str, value: Any, limit: Any) -> str:
    shown = repr(value) if len(repr(value)) <= _SHOWN else "the value"
    if validator == "type":
        return f"should be {_a_type(limit)}, but is {_type_of(value)}"
    if validator == "enum":
        return f"{shown} is none of: {', '.join(str(choice) for choice in limit)}"
    sentences = {
        "pattern": f"{shown} does not match {limit}",
        "minLength": f"is shorter than {limit} characters",
        "maxLength": f"is longer than {limit} characters",
        "minItems": f"has fewer than {limit} entries",
        "maxItems": f"has more than {limit} entries",
        "maxProperties": f"has more than {limit} entries",
        "minimum": f"{shown} is less than {limit}",
        "maximum": f"{shown} is more than {limit}",
    }
    return sentences.get(validator, f"does not fit the schema's {validator}")


_ARTICLES = {
    "array": "a list",
    "object": "an object",
    "integer": "a whole number",
    "boolean": "true or false",
}


def _a_type(wanted: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in names)


def _type_of(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "empty" if value is None else kinds.get(type(value), "an object")


def _schema_at(path: Sequence[str | int]) -> Schema:
    """The part of the resource's schema that describes this path."""
    schema = resource_schema()
    for part in path:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
    return schema


def _doubled(schema: Schema, value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, str, str]]:
    """Entries of a list map or a set that are there already."""
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from _doubled(part, value[name], (*path, name))
    elif isinstance(value, list):
        seen: list[Any] = []
        for index, item in enumerate(value):
            yield from _doubled(schema.get("items", {}), item, (*path, index))
            key = _key_of(schema, item)
            if key is not None and key in seen:
                yield (
                    dotted((*path, index)),
                    f"{key!r} is there twice",
                    "Each entry of this list is there once.",
                )
            seen.append(key)


def _key_of(schema: Schema, item: Any) -> Any:
    """What tells this entry from the others, None where entries may be equal."""
    kind = schema.get("x-kubernetes-list-type")
    if kind == "map" and isinstance(item, dict):
        return ", ".join(str(item.get(name)) for name in schema["x-kubernetes-list-map-keys"])
    return item if kind == "set" else None
