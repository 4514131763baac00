"""Which database a connection is on, as its server says."""

from typing import Any

from headway_contract.records import dataclass
from headway_runner.connections.dbapi import query


@dataclass(frozen=True)
class Identity:
    """Which database it is: its name on the server and the server's own identifier ('' where it tells none)."""

    database: str
    system: str = ""

    def is_same_as(self, other: "Identity") -> bool:
        """Names must be equal, identifiers too as far as both are known."""
        same_system = not self.system or not other.system or self.system == other.system
        return self.database == other.database and same_system


_WHERE = """
SELECT current_database(), has_function_privilege('pg_control_system()', 'execute') AND (
  current_setting('wal_level') = 'logical' OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_proc WHERE proname IN ('aurora_version', 'aurora_replica_status')))
"""
"""Aurora's functions of the WAL and of the control file raise 55000 below ``wal_level = logical``, its default."""


def of_postgresql(adapter: Any) -> Identity:
    """PostgreSQL's, over a driver's connection; ends no transaction."""
    # Some managed servers revoke the function, and Aurora fails it; asking would abort a transaction of env.py.
    ((name, may_ask),) = query(adapter, _WHERE)
    system = query(adapter, "SELECT system_identifier FROM pg_control_system()")[0][0] if may_ask else ""
    return Identity(str(name), str(system))
