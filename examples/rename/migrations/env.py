"""As `alembic init` writes it, shortened: the URL comes from Headway, or from DATABASE_URL by hand."""

import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine, pool

URL = context.config.get_main_option("sqlalchemy.url") or os.environ.get("DATABASE_URL", "postgresql://")

if context.is_offline_mode():
    context.configure(url=URL, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(URL, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
