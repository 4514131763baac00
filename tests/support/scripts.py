"""What an operation writes under `--sql`, and a client that runs a script as psql does: statement by statement."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from support.postgres import Database

_PIECE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|;|[^;'\"$-]+|.", re.S)


def script_of(work: Callable[[], object], dialect: str = "postgresql", **options: object) -> str:
    """The script of a revision."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect,
        opts={"as_sql": True, "output_buffer": written, "transaction_per_migration": True, **options},
    )
    with Operations.context(context), context.begin_transaction(_per_migration=True):
        work()
    return written.getvalue()


def statements_of(script: str) -> list[str]:
    """Its statements; semicolons inside of texts, names and function bodies are no ends."""
    statements, now = [], ""
    for piece in _PIECE.finditer(script):
        if piece[0] == ";":
            statements.append(now.strip())
            now = ""
        elif not piece[0].startswith("--"):
            now += piece[0]
    return [one for one in [*statements, now.strip()] if one]


def apply(database: Database, script: str) -> None:
    """In one session; the first error is raised."""
    connection = database.connect()
    for statement in statements_of(script):
        connection.execute(statement.encode())
    connection.close()
