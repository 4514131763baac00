"""Argo CD's scripts as it runs them: Lua 5.1, one global ``obj``, and only the libraries that pasted scripts get."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lupa import lua51

WITHHELD = (
    "string",
    "io",
    "os",
    "math",
    "debug",
    "coroutine",
    "python",
    "dofile",
    "loadfile",
    "load",
    "loadstring",
)
"""What such a script does not find. (Argo CD has a safe ``os`` for those who require it.)"""

LuaError = lua51.LuaError


def run(script: Path, resource: Mapping[str, Any]) -> Any:
    """What the script returns, its tables as dicts and lists; raises LuaError."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    names = lua.globals()
    names.obj = _to_lua(lua, resource)
    for name in WITHHELD:
        names[name] = None
    return _to_python(lua.execute(script.read_text()))


def _to_lua(lua: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        return lua.table_from({key: _to_lua(lua, item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return lua.table_from([_to_lua(lua, item) for item in value])
    return value


def _to_python(value: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    items = {key: _to_python(item) for key, item in value.items()}
    is_list = bool(items) and set(items) == set(range(1, len(items) + 1))
    return [items[index] for index in range(1, len(items) + 1)] if is_list else items
