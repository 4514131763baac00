"""Reads YAML files into documents that remember where they came from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headway_cli.problems import BadInput, Problem

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Document:
    """One YAML document that is an object; ``where`` names its file and, among several, its place in it."""

    where: str
    file: Path | None
    """None: standard input."""
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """The Kubernetes kind, empty when there is none."""
        return str(self.body.get("kind") or "")

    @property
    def name(self) -> str:
        """``metadata.name``, empty when there is none."""
        metadata = self.body.get("metadata")
        return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def read_documents(names: Sequence[str]) -> tuple[Document, ...]:
    """All documents of these files, folders (their ``*.yaml`` and ``*.yml``) and ``-``; raises :class:`BadInput`."""
    found = tuple(document for name in names for document in _read(name))
    if not found:
        raise BadInput(
            Problem(", ".join(names), "", "holds no document", "Write a DatabaseMigration into it.")
        )
    return found


def _read(name: str) -> Iterator[Document]:
    if name == STANDARD_INPUT:
        yield from _parse("standard input", None, sys.stdin.read())
        return
    path = Path(name)
    files = sorted((*path.glob("*.yaml"), *path.glob("*.yml"))) if path.is_dir() else [path]
    if not files:
        raise BadInput(Problem(name, "", "there is no .yaml file in this folder", "Name the file itself."))
    for file in files:
        yield from _parse(str(file), file, _text(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(Problem(str(file), "", "there is no such file", "Correct the path.")) from None
    except UnicodeDecodeError:
        raise BadInput(Problem(str(file), "", "is not text in UTF-8", "Save it as UTF-8.")) from None
    except OSError as error:
        raise BadInput(Problem(str(file), "", f"cannot be read: {error.strerror}")) from None


def _parse(where: str, file: Path | None, text: str) -> list[Document]:
    try:
        values = [value for value in yaml.load_all(text, _Strict) if value is not None]
    except yaml.YAMLError as error:
        raise BadInput(Problem(where, "", f"is not YAML: {_place(error)}", _advice(error))) from None
    places = [
        where if len(values) == 1 else f"{where} (document {index})" for index in range(1, len(values) + 1)
    ]
    for place, value in zip(places, values, strict=True):
        if not isinstance(value, dict):
            raise BadInput(
                Problem(
                    place, "", "is not an object", "Each document starts with apiVersion, kind and metadata."
                )
            )
    return [Document(place, file, value) for place, value in zip(places, values, strict=True)]


def _place(error: yaml.YAMLError) -> str:
    """The parser's words with the line, never the line's text: it may be a Secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem or 'syntax error'} (line {mark.line + 1}, column {mark.column + 1})"
    return "syntax error"


def _advice(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", ""))
    if "\\t" in problem:
        return "Indent with spaces: YAML allows no tab there."
    if "block" in problem or "mapping values" in problem:
        return "Look at the indentation there: the fields of one object begin in the same column."
    return "Leave one of them out." if "twice" in problem else "Correct the syntax there."


class _Strict(yaml.SafeLoader):
    """Refuses a field that is there twice, as API servers do; YAML itself would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As always; raises a YAMLError that names the field, never its value."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key.value} is there twice", key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)
