"""One engine for all: a first context only asks where the database is, a second one migrates."""

import os

from alembic import context
from sqlalchemy import create_engine, pool

kinds = {"NullPool": pool.NullPool, "StaticPool": pool.StaticPool, "QueuePool": pool.QueuePool}
engine = create_engine(
    context.config.get_main_option("sqlalchemy.url"), poolclass=kinds[os.environ.get("POOL", "QueuePool")]
)


def current() -> tuple[str, ...]:
    with engine.connect() as connection:
        context.configure(connection=connection)
        return context.get_context().get_current_heads()


def migrate() -> None:
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


print("the database is at", current())
migrate()
print("the database is at", current())
