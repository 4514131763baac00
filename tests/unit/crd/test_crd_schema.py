"""What the schema of the resource promises, read from the file alone."""

import re
from typing import Any

import pytest

from support.crd import CRD_FILE, Schema, example, fields, load_crd, resource_schema, used_fields

SCHEMA = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
NODES = dict(fields(SCHEMA, ""))
# Words that YAML 1.1, and so kubectl and PyYAML, turns into booleans or null when they are written without quotes.
YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}


def of_type(name: str) -> dict[str, Schema]:
    return {path: node for path, node in NODES.items() if node.get("type") == name}


def defaults(schema: Schema) -> Any:
    """What an empty object is filled with, following `default` through nested objects."""
    if "properties" not in schema:
        return schema.get("default")
    if "default" not in schema:
        return None
    children = {name: defaults(child) for name, child in schema["properties"].items()}
    return {**schema["default"], **{name: value for name, value in children.items() if value is not None}}


def test_the_file_leaves_room_under_the_limit_of_client_side_apply() -> None:
    assert len(CRD_FILE.read_bytes()) < 90_000


def test_every_field_is_described_in_sentences() -> None:
    ours = {path: node for path, node in NODES.items() if path != ".metadata"}
    assert [path for path, node in ours.items() if not node.get("description", "").endswith(".")] == []


def test_the_schema_is_structural_and_keeps_nothing_unknown() -> None:
    untyped = [p for p, n in NODES.items() if "type" not in n and not n.get("x-kubernetes-int-or-string")]
    assert untyped == []
    assert "x-kubernetes-preserve-unknown-fields" not in CRD_FILE.read_text()


def test_every_list_is_bounded_and_says_how_it_is_merged() -> None:
    lists = of_type("array")
    assert [p for p, n in lists.items() if "maxItems" not in n or "x-kubernetes-list-type" not in n] == []
    for path, node in lists.items():
        keys = node.get("x-kubernetes-list-map-keys", [])
        assert (node["x-kubernetes-list-type"] == "map") == bool(keys), path
        assert set(keys) <= set(node["items"].get("required", [])), path


def test_every_string_is_bounded() -> None:
    bounds = ("maxLength", "enum")
    strings = of_type("string").items()
    assert [p for p, n in strings if not any(b in n for b in bounds) and n.get("format") != "date-time"] == []


def test_every_map_is_bounded() -> None:
    maps = {p: n for p, n in NODES.items() if "additionalProperties" in n}
    assert maps
    assert [p for p, n in maps.items() if "maxProperties" not in n] == []


def test_every_number_is_a_bounded_integer() -> None:
    assert of_type("number") == {}
    integers = of_type("integer")
    assert [p for p, n in integers.items() if "format" not in n or "minimum" not in n] == []
    assert [p for p, n in integers.items() if p.startswith(".spec") and "maximum" not in n] == []


def test_names_and_values_follow_the_conventions_of_kubernetes() -> None:
    names = {p.rsplit(".", 1)[-1].rstrip("[]{}") for p in NODES if p}
    values = {value for node in NODES.values() for value in node.get("enum", [])}
    assert [n for n in names if not re.fullmatch("[a-z][a-zA-Z0-9]*", n)] == []
    assert [v for v in values if not re.fullmatch("[A-Z][a-zA-Z]*", v)] == []


def test_a_length_of_time_has_its_unit_in_its_name() -> None:
    lengths = {p for p, n in of_type("integer").items() if re.search(r"\bseconds\b", n["description"])}
    assert len(lengths) > 8
    assert {p for p in lengths if not p.lower().endswith("seconds")} == set()


def test_a_reference_cannot_lead_out_of_the_namespace() -> None:
    assert {p for p in NODES if p.rsplit(".", 1)[-1].lower().endswith("namespace")} == set()


def test_points_in_time_are_called_time_and_are_timestamps() -> None:
    stamps = {p for p, n in of_type("string").items() if n.get("format") == "date-time"}
    assert stamps == {p for p in NODES if p.endswith("Time")}


def test_no_name_and_no_value_is_a_word_that_yaml_reads_as_something_else() -> None:
    names = {p.rsplit(".", 1)[-1].rstrip("[]{}") for p in NODES}
    values = {v for p, n in NODES.items() if p.startswith(".spec") for v in n.get("enum", [])}
    assert {word for word in names | values if word.lower() in YAML_WORDS} == set()


def test_every_admission_rule_says_what_is_wrong_and_then_what_to_write_instead() -> None:
    rules = [(p, r) for p, n in NODES.items() for r in n.get("x-kubernetes-validations", [])]
    assert len(rules) > 20
    assert [p for p, r in rules if ": " not in r["message"] or len(r["message"]) > 300] == []


def test_only_what_is_always_honoured_has_a_default() -> None:
    """A feature that is left out stays absent, so an operator that lacks it has nothing to refuse."""
    spec = {**resource_schema("spec"), "default": {}}
    written = example("defaults_written_out.yaml")["spec"]
    assert defaults(spec) == {k: v for k, v in written.items() if k not in ("image", "databases")}


def test_no_default_hides_below_an_object_that_is_absent() -> None:
    with_default = {p for p, n in NODES.items() if p.startswith(".spec.") and "default" in n}
    assert {p for p in with_default if p.count(".") > 2 and p.rsplit(".", 1)[0] not in with_default} == set()


def test_a_resource_that_nobody_has_seen_is_not_ready() -> None:
    assert resource_schema("status")["default"] == {"observedGeneration": -1}
    assert resource_schema("status")["properties"]["observedGeneration"]["minimum"] == -1


def test_every_command_by_annotation_is_acknowledged_in_status() -> None:
    acknowledged = {n for n in resource_schema("status")["properties"] if n.startswith("lastHandled")}
    assert acknowledged == {f"lastHandled{c}" for c in ("Retry", "Paused", "Approve", "Pace", "Abort")}


@pytest.mark.parametrize(
    ("part", "documents"),
    [
        ("spec", [example("full.yaml")["spec"], example("command.yaml")["spec"]]),
        ("status", [example("full_status.yaml")]),
    ],
    ids=["spec", "status"],
)
def test_the_full_examples_use_every_field(part: str, documents: list[Schema]) -> None:
    schema = resource_schema(part)
    used = {path for document in documents for path in used_fields(document, schema, part)}
    assert used == {path for path, _ in fields(schema, part)}
