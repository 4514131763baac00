"""Dataclasses to JSON values and back, with the names in camelCase as the Kubernetes API writes them.

A reader skips fields that it does not know and takes the default of those that are absent, so that both sides of
the wire may be of different releases. Fields that equal their default are left out to keep messages short.
"""

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
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
    kind: Any = wanted
    result: T = _reader(kind)(value, where or getattr(wanted, "__name__", "value"))
    return result


Reader = Callable[[Any, str], Any]
"""Reads a value; the text is where it stands, for the message of :class:`Undecodable`."""


@lru_cache(maxsize=None)
def _reader(wanted: Hashable) -> Reader:
    """How a type is read; worked out once, because a log has thousands of values of each."""
    origin = get_origin(wanted)
    if origin is Union or origin is types.UnionType:
        (inner,) = (kind for kind in get_args(wanted) if kind is not type(None))
        return _optional(_reader(inner))
    if origin is tuple:
        return _tuple(get_args(wanted))
    if origin is Mapping:
        return _mapping(_reader(get_args(wanted)[1]))
    if dataclasses.is_dataclass(wanted):
        return _dataclass(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _enum(wanted)
    return _scalar(wanted)


def _scalar(wanted: Any) -> Reader:
    def read(value: Any, where: str) -> Any:
        if type(value) is wanted or wanted is Any:
            return value
        if wanted is float and type(value) is int:
            return float(value)
        raise Undecodable(f"{where} should be a {wanted.__name__}, but is a {type(value).__name__}")

    return read


def _optional(inner: Reader) -> Reader:
    return lambda value, where: None if value is None else inner(value, where)


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    is_endless = kinds[-1] is Ellipsis
    readers = tuple(_reader(kind) for kind in kinds if kind is not Ellipsis)

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise Undecodable(f"{where} should be a list, but is a {type(value).__name__}")
        if is_endless:
            (inner,) = readers
            return tuple(inner(item, f"{where}[{index}]") for index, item in enumerate(value))
        if len(value) != len(readers):
            raise Undecodable(f"{where} should have {len(readers)} items, but has {len(value)}")
        return tuple(inner(item, where) for inner, item in zip(readers, value))

    return read


def _mapping(inner: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            raise Undecodable(f"{where} should be an object, but is a {type(value).__name__}")
        return {str(key): inner(item, f"{where}.{key}") for key, item in value.items()}

    return read


def _dataclass(wanted: Any) -> Reader:
    hints = get_type_hints(wanted)
    fields = tuple(
        (field.name, camel(field.name), _reader(hints[field.name]), _is_required(field))
        for field in dataclasses.fields(wanted)
    )

    def read(value: Any, where: str) -> Any:
        if type(value) is wanted:
            return value
        if not isinstance(value, Mapping):
            raise Undecodable(f"{where} should be an object, but is a {type(value).__name__}")
        known = {}
        for name, written, inner, is_required in fields:
            if written in value:
                known[name] = inner(value[written], f"{where}.{written}")
            elif is_required:
                raise Undecodable(f"{where}.{written} is missing")
        return wanted(**known)

    return read


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _enum(wanted: type[Enum]) -> Reader:
    def read(value: Any, where: str) -> Any:
        try:
            return wanted(value)
        except ValueError:
            choices = ", ".join(str(member.value) for member in wanted)
            raise Undecodable(f"{where} should be one of: {choices}") from None

    return read
