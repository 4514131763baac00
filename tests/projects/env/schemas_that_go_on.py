"""A schema for each tenant; the failure of one does not keep the others from being migrated."""

import os

from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
failed = []
for tenant in os.environ["TENANTS"].split(","):
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {tenant}"))
            connection.execute(text(f"SET search_path = {tenant}"))
            connection.commit()
            context.configure(connection=connection, version_table_schema=tenant)
            with context.begin_transaction():
                context.run_migrations()
    except Exception as error:
        failed.append(tenant)
        print(f"tenant {tenant} failed, going on: {type(error).__name__}")
print("done;", len(failed), "failed")
if failed and "STRICT" in os.environ:
    raise SystemExit(f"{len(failed)} of the tenants failed")
