"""The repository as data: its modules, their functions, and its files; for the tests of the house rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "operator"
PACKAGES = ("headway", "headway_contract", "headway_runner", "headway_operator", "headway_cli")
_NOT_OURS = {".git", ".venv", "__pycache__", "dist", "build", "node_modules"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path below operator/."""
        return str(self.path.relative_to(SOURCE))

    @property
    def lines(self) -> int:
        """How long it is."""
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        """Every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def undocumented(self) -> Iterator[str]:
        """Public names without a docstring, but for overloads and for methods that override a documented base's."""
        for node in self.tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                yield from _undocumented(node, node.name)


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the five packages."""
    paths = sorted(path for package in PACKAGES for path in (SOURCE / package).rglob("*.py"))
    texts = [path.read_text() for path in paths]
    return tuple(Module(path, text, ast.parse(text)) for path, text in zip(paths, texts, strict=True))


def length(function: Function) -> int:
    """Lines of a function from its ``def`` to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def files() -> Iterator[Path]:
    """Every text file that belongs to the repository; caches and what tools leave behind do not."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in (".ci", ".gitignore", ".github") for part in parts)
        if path.is_file() and not hidden and not _NOT_OURS & set(parts):
            yield path


def _undocumented(node: Function | ast.ClassDef, name: str) -> Iterator[str]:
    is_overload = any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)
    if ast.get_docstring(node) is None and not is_overload:
        yield name
    if isinstance(node, ast.ClassDef) and not node.bases:
        for child in node.body:
            if isinstance(child, Function) and not child.name.startswith("_"):
                yield from _undocumented(child, f"{name}.{child.name}")
