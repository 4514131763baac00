"""Sets the search path, takes an advisory lock of its own on the same connection, and commits by itself."""

from alembic import context
from sqlalchemy import create_engine, text

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    connection.execute(text("SET search_path = public"))
    connection.execute(text("SELECT pg_advisory_lock(4711)"))
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    context.get_bind().commit()
    connection.execute(text("SELECT pg_advisory_unlock(4711)"))
