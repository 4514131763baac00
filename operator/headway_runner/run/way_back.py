"""What another process needs in order to ask the database of a run without env.py, told before the first revision.

It is taken from the open connection: whatever opened that (a listener, a token service, a creator) need not be known.
Rule: it holds credentials. It goes to the parent alone and is never told.
"""

import re
from contextlib import suppress
from typing import Any

from alembic.runtime.migration import MigrationContext

from headway_runner.connections.dbapi import SESSION, adapter_of, backend_pid, bare
from headway_runner.connections.identity import of_postgresql
from headway_runner.processes.task import VersionTable, WayBack
from headway_runner.project.alembic_env import Step, heads_after
from headway_runner.project.version_tables import as_it_is_found

MAPS = "/proc/self/maps"
"""Linux: the files that this process has loaded."""
_LIBPQ = re.compile(r"/libpq[-.\w]*\.so[.\d]*$")


def way_back(context: MigrationContext, heads: tuple[str, ...], steps: list[Step]) -> WayBack | None:
    """The way to where these steps lead from these heads; None: it cannot be told. Ends no transaction of env.py."""
    connection = context.connection
    if connection is None or not tells_a_way_back(context):
        return None
    adapter = adapter_of(connection)
    found = as_it_is_found(context, adapter)
    identity = of_postgresql(adapter)
    if not connection.in_transaction():
        adapter.commit()
    # Alembic may see another table than its name says, as with a schema_translate_map.
    if found is None or found.heads != tuple(sorted(heads)):
        return None
    table = VersionTable(found.schema, found.name, heads_after(context, heads, steps))
    driver = bare(adapter)
    return WayBack(library_of(driver), arguments_of(driver), identity, table)


def tells_a_way_back(context: MigrationContext) -> bool:
    """Whether a run over this connection could tell one. Behind a pooler another session could be anybody's."""
    connection = context.connection
    if connection is None or connection.dialect.name != "postgresql":
        return False
    adapter = adapter_of(connection)
    if connection.info.get(SESSION, backend_pid(adapter)) != backend_pid(adapter):
        return False
    driver = bare(adapter)
    return bool(library_of(driver) and arguments_of(driver))


def arguments_of(driver: Any) -> tuple[tuple[str, str], ...]:
    """What libpq was given, from whatever source, by psycopg or psycopg2; () when it cannot be told."""
    with suppress(Exception):  # a property of a driver may raise whatever it likes
        given = _of_psycopg(driver) if hasattr(driver, "pgconn") else driver.info.dsn_parameters
        password = driver.info.password
        return tuple({**given, **({"password": password} if password else {})}.items())
    return ()


def _of_psycopg(driver: Any) -> dict[str, str]:
    """Also what comes from the environment, which env.py may have changed in its own process."""
    return {one.keyword.decode(): one.val.decode() for one in driver.pgconn.info if one.val}


def library_of(driver: Any) -> str:
    """The libpq that this process has loaded, the driver's own first; '' where the system does not tell."""
    name = type(driver).__module__.partition(".")[0]
    found = {path for path in map(_path, _lines_of(MAPS)) if _LIBPQ.search(path)}
    return min(found, key=lambda path: (f"/{name}_" not in path, path), default="")


def _path(line: str) -> str:
    """Of a line of the maps, with whatever it may have of blanks."""
    return line.rstrip("\n").split(maxsplit=5)[-1]


def _lines_of(file: str) -> list[str]:
    """None where there is no such file."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as lines:
            return list(lines)
    except OSError:
        return []
