"""Writes the tables of docs/reference/databasemigration.md from crds/databasemigrations.yaml.

Run it after each change of the schema: `python docs/make_reference.py`. What stands above the marker is written by
hand and kept. Rule: the page says nothing about a field that the schema does not say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "databasemigration.md"
MARKER = "<!-- Below: written by docs/make_reference.py from crds/databasemigrations.yaml. -->\n"
Schema = dict[str, Any]


def render(prose: str, crd: Schema) -> str:
    """The whole page: the prose as it is, then the tables."""
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    sections = [
        "\n## Fields of spec\n",
        *_table(properties["spec"], "spec"),
        "\n## What is refused at once\n\nThe API server refuses these with the sentence given here.\n",
        *_rules(properties["spec"], "spec"),
        "\n## Fields of status\n",
        *_table(properties["status"], "status"),
    ]
    return f"{prose}{MARKER}" + "\n".join(sections) + "\n"


def _table(schema: Schema, part: str) -> Iterator[str]:
    yield "| Field | Type and bounds | Default | Meaning |\n|---|---|---|---|"
    for path, node, required in _fields(schema, part):
        name = f"`{path.removeprefix(f'{part}.')}`" + (" (required)" if required else "")
        default = f"`{node['default']}`" if node.get("default", {}) != {} else ""
        yield f"| {name} | {_kind(node)} | {_spelled(default)} | {_cell(node['description'])} |"


def _rules(schema: Schema, part: str) -> Iterator[str]:
    yield "| At | Sentence |\n|---|---|"
    nodes = [(part, schema), *((path, node) for path, node, _ in _fields(schema, part))]
    for path, node in nodes:
        for rule in node.get("x-kubernetes-validations", []):
            yield f"| `{path}` | {_cell(rule['message'])} |"


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """Every field below `path` with whether it is required; an item of a list is written as `[]`."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child, name in schema.get("required", [])
        below = child.get("items", child)
        yield from _fields(below, f"{path}.{name}" + ("[]" if "items" in child else ""))


def _kind(node: Schema) -> str:
    if "enum" in node:
        return " \\| ".join(f"`{word}`" for word in node["enum"])
    if node["type"] == "array":
        return f"list (at most {node['maxItems']}{_list_rule(node)}) of: {_kind(node['items'])}"
    if "additionalProperties" in node:
        return f"map, at most {node['maxProperties']} entries"
    if node.get("format") == "date-time":
        return "time"
    return str(node["type"]) + _bounds(node)


def _list_rule(node: Schema) -> str:
    if node["x-kubernetes-list-type"] == "map":
        return f", each {' and '.join(node['x-kubernetes-list-map-keys'])} once"
    return ", each once" if node["x-kubernetes-list-type"] == "set" else ""


def _bounds(node: Schema) -> str:
    if "maxLength" in node:
        return f", at most {node['maxLength']} characters"
    if "minimum" in node:
        return (
            f", {node['minimum']} to {node['maximum']}" if "maximum" in node else f", from {node['minimum']}"
        )
    return ""


def _spelled(default: str) -> str:
    return {"`False`": "`false`", "`True`": "`true`"}.get(default, default)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Rewrites the page in place."""
    prose = PAGE.read_text().split(MARKER)[0]
    PAGE.write_text(
        render(prose, yaml.load((ROOT / "crds" / "databasemigrations.yaml").read_text(), yaml.CSafeLoader))
    )


if __name__ == "__main__":
    main()
