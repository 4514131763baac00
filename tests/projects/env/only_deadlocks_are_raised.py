"""Means to hide that another instance was first, and hides every other operational error with it."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

DEADLOCK = "40P01"

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    try:
        with context.begin_transaction():
            context.run_migrations()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", getattr(error.orig, "pgcode", None)) == DEADLOCK:
            raise
