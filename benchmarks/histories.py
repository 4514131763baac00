"""Public histories of real applications, from an empty database to head: plain Alembic beside the runner.

    python benchmarks/histories.py [NAME …]

Each application is installed from the package index into a venv of its own (kept in the cache), with its newest
dependencies, and its revisions run from the installed package as they are. Prints a table: how many revisions, how
long each way took, whether the runner's own second look and a comparison of the catalogues confirm the end.
Exit code 1 when one of them does not. It decides nothing about speed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests")]


LOGGING = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""


@dataclass(frozen=True)
class History:
    """One application: how it is installed, where its Alembic project is, and how it learns of the database."""

    package: str
    """Name and version on the package index."""
    scripts: str
    """``package:folder`` of its Alembic project."""
    driver: str = "psycopg2"
    also: tuple[str, ...] = ()
    """Requirements beside the driver's."""
    url_variable: str = ""
    """The application's own variable for its URL; empty: it reads sqlalchemy.url."""
    environment: dict[str, str] = field(default_factory=dict)
    version_table: str = "alembic_version"

    @property
    def name(self) -> str:
        """Without the version."""
        return self.package.partition("==")[0]


HISTORIES = (
    History(
        "apache-airflow-core==3.3.2", "airflow:migrations", url_variable="AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    ),
    History(
        "arize-phoenix==20.26.1", "phoenix.db:migrations", "asyncpg", url_variable="PHOENIX_SQL_DATABASE_URL"
    ),
    History(
        "glance==33.0.0", "glance.db.sqlalchemy:alembic_migrations", url_variable="OS_DATABASE__CONNECTION"
    ),
    History("keystone==30.0.0", "keystone.common.sql:migrations"),
    History("manila==23.0.1", "manila.db.migrations:alembic", url_variable="OS_DATABASE__CONNECTION"),
    History("mlflow==3.17.2", "mlflow.server.auth.db:migrations", version_table="alembic_version_auth"),
    History(
        "octavia==19.0.0", "octavia.db.migration:alembic_migrations", url_variable="OS_DATABASE__CONNECTION"
    ),
    History("optuna==5.0.0", "optuna.storages._rdb:alembic"),
    History(
        "prefect==3.9.1",
        "prefect.server.database:_migrations",
        "asyncpg",
        url_variable="PREFECT_SERVER_DATABASE_CONNECTION_URL",
    ),
)
