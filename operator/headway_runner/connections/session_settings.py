"""What a run sets in its PostgreSQL sessions. Pure, but for the statement that sets it."""

import re
from typing import Any

from headway_contract.request import RunRequest
from headway_runner.connections.dbapi import query
from headway_runner.connections.keepalive import SERVER_SETTINGS

Values = tuple[tuple[str, str], ...]
"""Settings and their values."""


def application_name(run: str, database: str) -> str:
    """``headway:<run>/<database>``, of harmless characters and at most the 63 that PostgreSQL keeps."""
    parts = [re.sub(r"[^\w.-]", "_", part, flags=re.ASCII)[:27] for part in (run, database) if part]
    return "headway:" + "/".join(parts)


def session_values(request: RunRequest, read_only: bool) -> Values:
    """The PostgreSQL settings that a run needs."""
    values = [("lock_timeout", f"{request.lock_timeout_seconds}s")]
    if request.statement_timeout_seconds:
        values.append(("statement_timeout", f"{request.statement_timeout_seconds}s"))
    if read_only:
        values.append(("default_transaction_read_only", "on"))
    return tuple(values)


def guards_against_a_lost_client(server_version: int) -> Values:
    """Those by which the server ends an orphan, for its version as ``server_version_num`` gives it."""
    return tuple((name, value) for first, name, value in SERVER_SETTINGS if server_version >= first)


def put(adapter: Any, values: Values) -> None:
    """Set them until the session ends."""
    query(adapter, "SELECT " + ", ".join(f"set_config('{key}', '{value}', false)" for key, value in values))
