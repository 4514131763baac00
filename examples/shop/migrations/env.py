"""Migrates the one database whose section of alembic.ini was chosen, nearly as `alembic init` wrote it.

What differs from the stock file: the URL may come from DATABASE_URL, the version table from the section, and a
line is printed after each revision, but not into a script (--sql).
"""

import os

from alembic import context
from models import METADATA
from sqlalchemy import engine_from_config, pool

config = context.config
if not config.get_main_option("sqlalchemy.url"):
    config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))


def announce(ctx, step, heads, run_args):
    """Alembic calls this after each revision, still inside its transaction."""
    print(
        f"{config.config_ini_section}: {'applied' if step.is_upgrade else 'reverted'} {step.up_revision_id}"
    )


def options():
    return {
        "target_metadata": METADATA[config.config_ini_section],
        "version_table": config.get_main_option("version_table"),
    }


def run_migrations_offline():
    url = config.get_main_option("sqlalchemy.url")
    context.configure(url=url, literal_binds=True, dialect_opts={"paramstyle": "named"}, **options())
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    with connectable.connect() as connection:
        # Short revisions in their own transactions: no lock is held longer than the revision that needs it.
        context.configure(
            connection=connection, transaction_per_migration=True, on_version_apply=announce, **options()
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
