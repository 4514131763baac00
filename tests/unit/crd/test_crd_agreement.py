"""The operator's dataclasses and the schema speak of the same fields, with the same defaults and values."""

import dataclasses
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from headway_contract.codec import camel, decode
from headway_operator.api.migration import Spec, parse
from headway_operator.api.status import Status
from support.crd import Schema, example, fields, resource_schema


def unwrapped(kind: Any) -> Any:
    """`X` of `X | None` and of `tuple[X, ...]`."""
    while get_origin(kind) in (Union, types.UnionType, tuple):
        kind = next(inner for inner in get_args(kind) if inner not in (type(None), Ellipsis))
    return kind


def modelled(kind: Any, schema: Schema, path: str) -> Iterator[tuple[str, Any, Schema]]:
    """Every field of a dataclass: its path in the API, its type, and what the schema has there ({}: nothing)."""
    for name, hint in get_type_hints(kind).items():
        node = schema.get("properties", {}).get(camel(name), {})
        inner = unwrapped(hint)
        yield f"{path}.{camel(name)}", inner, node
        if dataclasses.is_dataclass(inner):
            yield from modelled(inner, node.get("items", node), f"{path}.{camel(name)}")


def without_lists(paths: Iterator[str]) -> set[str]:
    return {path.replace("[]", "") for path in paths}


@pytest.mark.parametrize(("kind", "part"), [(Spec, "spec"), (Status, "status")], ids=["spec", "status"])
def test_every_field_that_the_operator_knows_has_its_place_in_the_schema(kind: type, part: str) -> None:
    assert [path for path, _, node in modelled(kind, resource_schema(part), part) if not node] == []


def test_the_operator_reads_every_field_of_the_spec_or_keeps_it_whole() -> None:
    schema = resource_schema("spec")
    known = {path: kind for path, kind, _ in modelled(Spec, schema, "spec")}
    opaque = tuple(path for path, kind in known.items() if not dataclasses.is_dataclass(kind))
    inside_opaque = tuple(f"{path}{mark}" for path in opaque for mark in ".{")
    unread = without_lists(path for path, _ in fields(schema, "spec")) - {"spec", *known}
    assert [path for path in unread if not path.startswith(inside_opaque)] == []


def test_words_to_choose_from_are_the_same_on_both_sides() -> None:
    chosen = [(p, k, n) for p, k, n in modelled(Spec, resource_schema("spec"), "spec") if isinstance(k, type)]
    for path, kind, node in chosen:
        if issubclass(kind, Enum):
            assert node.get("items", node)["enum"] == [member.value for member in kind], path


def test_the_operator_and_the_api_server_fill_in_the_same_defaults() -> None:
    short, written_out = example("minimal.yaml"), example("defaults_written_out.yaml")
    assert decode(Spec, short["spec"]) == decode(Spec, written_out["spec"])


def test_the_operator_reads_the_full_example() -> None:
    document = {**example("full.yaml"), "status": example("full_status.yaml")}
    document["status"]["databases"][0]["phase"] = "Migrating"
    migration = parse(document)
    assert migration.problem == ""
    assert migration.status.run is not None
    assert migration.status.database("main") is not None
