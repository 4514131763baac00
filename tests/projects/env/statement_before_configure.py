"""A statement before configure(): SQLAlchemy 2 begins a transaction for it, which nobody commits."""

import os

from alembic import context
from sqlalchemy import create_engine, text

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    connection.execute(text(os.environ["FIRST_STATEMENT"]))
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
