"""An engine on which every statement commits itself."""

from alembic import context
from sqlalchemy import create_engine

url = context.config.get_main_option("sqlalchemy.url")
with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
