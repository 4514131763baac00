"""The schema of the DatabaseMigration resource for the tests, and the smallest resource that it accepts."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CRD_FILE = Path(__file__).parents[2] / "crds" / "databasemigrations.yaml"
EXAMPLES = Path(__file__).parents[1] / "cluster" / "data"
API_VERSION = "headway.dev/v1alpha1"
Schema = dict[str, Any]


@cache
def load_crd() -> Schema:
    """The CustomResourceDefinition as it is in the file; read once, so nobody may change it."""
    crd: Schema = yaml.load(CRD_FILE.read_text(), yaml.CSafeLoader)
    return crd


def resource_schema(part: str) -> Schema:
    """The schema of `spec` or `status`."""
    schema: Schema = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part]
    return schema


def fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every node with its path: fields as `.name`, list items as `[]`, map values as `{}`."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from fields(child, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from fields(schema["additionalProperties"], f"{path}{{}}")


def used_fields(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """The paths, as `fields` writes them, of everything that is set in `value`."""
    yield path
    if isinstance(value, list):
        for item in value:
            yield from used_fields(item, schema["items"], f"{path}[]")
    elif isinstance(value, dict) and "additionalProperties" in schema:
        for item in value.values():
            yield from used_fields(item, schema["additionalProperties"], f"{path}{{}}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from used_fields(item, schema["properties"].get(name, {}), f"{path}.{name}")


def example(name: str) -> Schema:
    """One of the example documents of the tests, parsed."""
    document: Schema = yaml.load((EXAMPLES / name).read_text(), yaml.CSafeLoader)
    return document


def minimal(name: str = "shop", **spec: Any) -> Schema:
    """The smallest resource, with fields of its spec set or (None) removed."""
    fields_of_spec = {"image": "registry.example.com/shop:1.0", "databases": [{"name": "main"}], **spec}
    return {
        "apiVersion": API_VERSION,
        "kind": "DatabaseMigration",
        "metadata": {"name": name},
        "spec": {key: value for key, value in fields_of_spec.items() if value is not None},
    }


def beyond_bounds(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Where `value` has more items or characters than the schema lets an API server take."""
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield f"{path} has {len(value)} characters of {schema['maxLength']}"
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{path} has {len(value)} items of {schema['maxItems']}"
        for item in value:
            yield from beyond_bounds(item, schema["items"], f"{path}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties") or {}
            yield from beyond_bounds(item, inner, f"{path}.{name}")
