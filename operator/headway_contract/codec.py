"""Dataclasses to JSON values and back, with the names in camelCase as the Kubernetes API writes them.

A reader skips fields that it does not know and takes the default of those that are absent, so that both sides of
the wire may be of different releases. Fields that equal their default are left out to keep messages short.
"""

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Undecodable(ValueError):
    """The value does not fit the type; the message names the field, never the value."""


@lru_cache(maxsize=None)
def camel(name: str) -> str:
    """``lock_timeout_seconds`` → ``lockTimeoutSeconds``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def encode(value: Any) -> Any:
    """A JSON value of dataclasses, tuples, mappings, enums and scalars."""
    kind: Any = type(value)
    if kind is str or kind is int:
        return value
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            written: encode(item)
            for name, written, default in _fields(kind)
            if (item := getattr(value, name)) != default
        }
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


@lru_cache(maxsize=None)
def _fields(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """Name, name on the wire, default."""
    return tuple((field.name, camel(field.name), field.default) for field in dataclasses.fields(kind))


def decode(wanted: type[T], value: Any, where: str = "") -> T:
    """Read ``value`` (from JSON) as ``wanted``; raises :class:`Undecodable`."""
    result: T = _decode(wanted, value, where or getattr(wanted, "__name__", "value"))
    return result


@lru_cache(maxsize=None)
def _hints(wanted: type) -> dict[str, Any]:
    return get_type_hints(wanted)


def _decode(wanted: Any, value: Any, where: str) -> Any:
    if type(value) is wanted:
        return value
    origin = get_origin(wanted)
    if origin is Union or origin is types.UnionType:
        return _decode_optional(wanted, value, where)
    if origin is tuple:
        return _decode_tuple(get_args(wanted), value, where)
    if origin is Mapping:
        return _decode_mapping(get_args(wanted)[1], value, where)
    if dataclasses.is_dataclass(wanted):
        return _decode_dataclass(wanted, value, where)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _decode_enum(wanted, value, where)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is not Any and type(value) is not wanted:
        raise Undecodable(f"{where} should be a {wanted.__name__}, but is a {type(value).__name__}")
    return value


def _decode_optional(wanted: Any, value: Any, where: str) -> Any:
    if value is None:
        return None
    (inner,) = (kind for kind in get_args(wanted) if kind is not type(None))
    return _decode(inner, value, where)


def _decode_tuple(inner: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise Undecodable(f"{where} should be a list, but is a {type(value).__name__}")
    if inner[-1] is Ellipsis:
        return tuple(_decode(inner[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if len(value) != len(inner):
        raise Undecodable(f"{where} should have {len(inner)} items, but has {len(value)}")
    return tuple(_decode(kind, item, where) for kind, item in zip(inner, value))


def _decode_mapping(inner: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise Undecodable(f"{where} should be an object, but is a {type(value).__name__}")
    return {str(key): _decode(inner, item, f"{where}.{key}") for key, item in value.items()}


def _decode_dataclass(wanted: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise Undecodable(f"{where} should be an object, but is a {type(value).__name__}")
    hints = _hints(wanted)
    known = {}
    for field in dataclasses.fields(wanted):
        name = camel(field.name)
        if name in value:
            known[field.name] = _decode(hints[field.name], value[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Undecodable(f"{where}.{name} is missing")
    return wanted(**known)


def _decode_enum(wanted: type[Enum], value: Any, where: str) -> Enum:
    try:
        return wanted(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in wanted)
        raise Undecodable(f"{where} should be one of: {choices}") from None
