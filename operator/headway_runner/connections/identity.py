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


def of_postgresql(adapter: Any) -> Identity:
    """PostgreSQL's, over a driver's connection; ends no transaction."""
    ((name, may_ask),) = query(
        adapter, "SELECT current_database(), has_function_privilege('pg_control_system()', 'execute')"
    )
    # Some managed servers revoke the function; asking would abort a transaction of env.py.
    system = query(adapter, "SELECT system_identifier FROM pg_control_system()")[0][0] if may_ask else ""
    return Identity(str(name), str(system))
