"""Tries again itself when a table lock could not be had; what blocks the first try is gone by the second."""

import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

ENGINE = create_engine(context.config.get_main_option("sqlalchemy.url"))


def try_it(**options):
    with ENGINE.connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


blocker = ENGINE.connect()
if "BUSY" in os.environ:
    blocker.exec_driver_sql(f"LOCK TABLE {os.environ['BUSY']}")
try:
    try_it()
except OperationalError:
    blocker.close()
    try_it(**({"version_table": os.environ["THEN"]} if "THEN" in os.environ else {}))
