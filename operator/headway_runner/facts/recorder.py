"""Takes each statement as Alembic writes it, with the line of the revision's file that leads to it.

A bound parameter whose value Alembic's script mode loses would be written as NULL. Such a statement is told with
``$1`` in its place, and marked.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from types import FrameType
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import DDLElement

from headway_contract.facts import Statement
from headway_runner.facts.bounds import STATEMENT_CHARACTERS, STATEMENTS


class Enough(BaseException):
    """The revision has more statements than are told."""


class Recorder:
    """The output of one script, and what of it belongs to the revision that is being rendered."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.autocommit = False
        self._file = ""
        """Of the revision; empty: nothing is recorded."""
        self._loses = False

    def begin(self, file: str) -> None:
        """What comes from now on is of the revision in this file."""
        self.statements, self.autocommit, self._loses = [], False, False
        self._file = real_path(file) if file else "?"

    def end(self) -> tuple[Statement, ...]:
        """What there was."""
        self._file = ""
        return tuple(self.statements)

    def write(self, script: str) -> None:
        """One statement or comment; raises :class:`Enough`."""
        statement = _bare(script)
        if not self._file or not statement:
            return
        if len(self.statements) == STATEMENTS:
            raise Enough
        self.statements.append(
            Statement(
                sql=statement[:STATEMENT_CHARACTERS],
                line=line_in(self._file, sys._getframe(1)),
                autocommit=self.autocommit,
                lost_parameters=self._loses,
                is_cut=len(statement) > STATEMENT_CHARACTERS,
            )
        )

    def flush(self) -> None:
        """As a file."""

    def take_over(self, context: MigrationContext) -> None:
        """Between Alembic and its output: parameters that would be lost, and blocks that commit by themselves."""
        own: Callable[..., Any] = context.impl._exec

        def execute(construct: Any, *arguments: Any, **named: Any) -> None:
            construct = text(construct) if isinstance(construct, str) else construct
            try:
                if not loses_parameters(construct, context.dialect):
                    own(construct, *arguments, **named)
                    return
            except CompileError:
                # A value that has no form in SQL text, such as an array.
                if isinstance(construct, DDLElement):
                    raise
            self._loses = True
            try:
                self.write(with_placeholders(construct, context.dialect))
            finally:
                self._loses = False

        setattr(context.impl, "_exec", execute)  # noqa: B010
        setattr(context.impl, "emit_commit", lambda: self._switch(True))  # noqa: B010
        setattr(context.impl, "emit_begin", lambda: self._switch(False))  # noqa: B010

    def _switch(self, autocommit: bool) -> None:
        self.autocommit = autocommit


def loses_parameters(construct: Any, dialect: Dialect) -> bool:
    """Whether it waits for parameters that nothing in it gives: a script has no place for them."""
    if isinstance(construct, DDLElement):
        return False
    binds = getattr(construct.compile(dialect=dialect), "binds", {})
    return any(bind.required and bind.value is None and bind.callable is None for bind in binds.values())


def with_placeholders(construct: Any, dialect: Dialect) -> str:
    """The statement with ``$1``, ``$2`` … for its parameters; the dialect writes them as ``:name``."""
    compiled = construct.compile(dialect=dialect)
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return f"${numbers.setdefault(name, len(numbers) + 1)}" if name in compiled.binds else found[0]

    return re.sub(r"(?<![:\w\\]):(\w+)", number, str(compiled))


@lru_cache(maxsize=10_000)
def real_path(path: str) -> str:
    """As ``os.path.realpath``, which asks the file system for each part."""
    return os.path.realpath(path)


def line_in(file: str, frame: FrameType | None) -> int:
    """The innermost line of this file on the way to here; 0: there is none."""
    while frame is not None:
        if real_path(frame.f_code.co_filename) == file:
            return frame.f_lineno
        frame = frame.f_back
    return 0


def _bare(script: str) -> str:
    """Without comments before it and the semicolon behind it; empty for comments alone."""
    lines = script.strip().split("\n")
    start = next((at for at, line in enumerate(lines) if not line.lstrip().startswith("--")), len(lines))
    return "\n".join(lines[start:]).strip().rstrip(";").rstrip()
