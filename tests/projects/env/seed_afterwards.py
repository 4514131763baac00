"""Fills a table that the revisions make, and shows the version, when they are done."""

from alembic import context
from sqlalchemy import create_engine, text

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("INSERT INTO a2 (id) VALUES (1) ON CONFLICT DO NOTHING"))
    print("now at", connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    connection.commit()
