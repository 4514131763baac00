"""Ends the process, or means to, at the place that WHERE names."""

import os
import sys

from alembic import context
from sqlalchemy import create_engine


def end(here: str) -> None:
    where, _, how = os.environ["WHERE"].partition(":")
    if where == here:
        sys.exit(0) if how == "sys.exit" else os._exit(0)


end("before")
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    end("configured")
    with context.begin_transaction():
        context.run_migrations()
        end("inside")
end("after")
