"""SET LOCAL, or as much, inside begin_transaction(): it holds for one transaction, so there may be only one."""

import os

from alembic import context
from sqlalchemy import create_engine, text

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        if "SETS" in os.environ:
            connection.execute(text(os.environ["SETS"]), {"schema": "app"})
        else:
            connection.execute(text("SET LOCAL search_path = public"))
            connection.execute(text("SET LOCAL ROLE pg_database_owner"))
        context.run_migrations()
