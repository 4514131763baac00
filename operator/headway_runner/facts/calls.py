"""The calls that a revision's function makes, in the order of the file, helpers of the same file followed.

Nothing is run: what is told is what is written, whether or not a condition lets it happen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from headway_contract.facts import Argument, Call
from headway_contract.result import shorten
from headway_runner.facts.bounds import ARGUMENT_CHARACTERS
from headway_runner.facts.parameters import may_have_some, without_parameters
from headway_runner.facts.python import Source, is_literal

_BLOCKS: dict[type[ast.AST], str] = {
    ast.While: "while",
    ast.For: "for",
    ast.AsyncFor: "for",
    ast.If: "if",
    ast.IfExp: "if",
    ast.Try: "try",
    ast.Match: "match",
    ast.ListComp: "for",
    ast.SetComp: "for",
    ast.DictComp: "for",
    ast.GeneratorExp: "for",
}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def calls_of(source: Source, function: str) -> Iterator[Call]:
    """Of ``upgrade`` or ``downgrade``: at most one round of a helper that calls itself."""
    if function in source.functions:
        yield from _Reader(source, function).of_function(function, (), ())


class _Reader:
    def __init__(self, source: Source, entry: str) -> None:
        self._source = source
        self._entry = entry
        self._hides = may_have_some(source.text)

    def of_function(self, name: str, blocks: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[Call]:
        """``inside``: the functions that are being read."""
        if name in inside:
            return
        for statement in self._source.functions[name].body:
            yield from self._of(statement, blocks, (*inside, name))

    def _of(self, node: ast.AST, blocks: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[Call]:
        if isinstance(node, _DEFINITIONS):
            return
        if isinstance(node, ast.Call):
            yield self._call(node, blocks)
        if isinstance(node, ast.Name) and node.id in self._source.functions:
            # Called, or handed to something that calls it.
            yield from self.of_function(node.id, blocks, inside)
        if isinstance(node, (ast.With, ast.AsyncWith)):
            yield from self._of_with(node, blocks, inside)
            return
        block = _BLOCKS.get(type(node))
        within = blocks if block is None else (*blocks, block)
        for child in ast.iter_child_nodes(node):
            yield from self._of(child, within, inside)

    def _of_with(
        self, node: ast.With | ast.AsyncWith, blocks: tuple[str, ...], inside: tuple[str, ...]
    ) -> Iterator[Call]:
        within = blocks
        for item in node.items:
            yield from self._of(item.context_expr, within, inside)
            called = item.context_expr
            name = self._source.name_of(called.func if isinstance(called, ast.Call) else called)
            within = (*within, f"with {name}")
        yield from chain.from_iterable(self._of(child, within, inside) for child in node.body)

    def _call(self, node: ast.Call, blocks: tuple[str, ...]) -> Call:
        return Call(
            name=self._source.name_of(node.func),
            line=node.lineno,
            end_line=node.end_lineno or node.lineno,
            arguments=self._arguments(node),
            function=self._entry,
            blocks=blocks,
        )

    def _arguments(self, call: ast.Call) -> tuple[Argument, ...]:
        shown = without_parameters(call) if self._hides else call
        text = self._source.text_of if shown is call else ast.unparse
        positional = (("", one) for one in shown.args)
        pairs = chain(positional, ((one.arg or "**", one.value) for one in shown.keywords))
        return tuple(
            Argument(shorten(text(node), ARGUMENT_CHARACTERS), name, is_literal(node)) for name, node in pairs
        )
