"""The last look at a run that did what was planned: a fresh process reads the version table by libpq alone.

Rule: it connects as the run's own connection was opened, and takes nothing else from the run. It says either that all
is exactly as it should be, or nothing: then the look through env.py follows, whatever the reason.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from headway_contract.request import RunRequest
from headway_runner.connections.dbapi import query
from headway_runner.connections.identity import of_postgresql
from headway_runner.connections.keepalive import watch_socket
from headway_runner.connections.session_settings import (
    application_name,
    guards_against_a_lost_client,
    put,
    session_values,
)
from headway_runner.processes.child import Link
from headway_runner.processes.task import Inspection, Task, WayBack
from headway_runner.statements import index_catalog
from headway_runner.words.reports import say

if TYPE_CHECKING:
    from headway_runner.connections.libpq import Session

SECONDS = 20.0
"""For the whole look; then it is killed. A name server that does not answer is in no time-out of libpq's."""
CONNECT_SECONDS = 10
"""Where the connection of the run has no time-out of its own."""
STATEMENT_SECONDS = 5
_SESSION = (
    "SELECT pg_backend_pid(), current_setting('server_version_num'), current_setting('application_name')"
)


def look_lightly(link: Link, task: Task) -> Inspection | None:
    """A phase for a process of its own; None: not seen to be exactly as it should be."""
    way = task.way_back
    if way is None:
        return None
    try:
        from headway_runner.connections.libpq import silent

        with silent():
            session = connect(way)
            try:
                return look(session, task, way)
            finally:
                session.close()
    except Exception as error:  # noqa: BLE001 - whatever it is, the look through env.py meets it and words it
        say(f"the version table could not be read by libpq alone ({type(error).__name__}): env.py is asked")
        return None


def connect(way: WayBack) -> "Session":
    """As the run's own connection was opened; raises what :class:`Session` does."""
    from headway_runner.connections.libpq import Session

    session = Session(way.libpq, {"connect_timeout": str(CONNECT_SECONDS), **dict(way.arguments)}.items())
    watch_socket(session)
    return session


def look(session: "Session", task: Task, way: WayBack) -> Inspection | None:
    """The same database, at exactly the heads that the steps lead to, without any invalid index."""
    if not prepare(session, task.request, task.database.name) or of_postgresql(session) != way.identity:
        return None
    heads = tuple(str(head) for (head,) in query(session, f"SELECT version_num FROM {way.table.quoted}"))
    if sorted(heads) != sorted(way.table.heads) or index_catalog.invalid(session):
        return None
    return Inspection(identity=way.identity, current=heads, contexts=1)


def prepare(session: "Session", request: RunRequest, database: str) -> bool:
    """Bound what it may wait for; False on a session that a pooler may lend to others, where nothing is set."""
    ((process, version, name),) = query(session, _SESSION)
    if session.get_backend_pid() != process:
        return False
    seconds = min(request.statement_timeout_seconds or STATEMENT_SECONDS, STATEMENT_SECONDS)
    values = session_values(replace(request, statement_timeout_seconds=seconds), read_only=True)
    # Not every operating system of a server knows the others, and no statement here is a long one.
    guards = tuple(one for one in guards_against_a_lost_client(int(version)) if one[0].startswith("tcp_"))
    named = () if name else (("application_name", application_name(request.run, database)),)
    put(session, (*values, *guards, *named))
    return True
