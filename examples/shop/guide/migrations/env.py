# alembic/env.py - Multi-database support
import os

from alembic import context
from sqlalchemy import engine_from_config, pool

# Define multiple databases
# CORRECTION: the guide writes the URLs here, passwords too; they come from the environment.
DATABASES = {
    'default': os.environ['MAIN_URL'],
    'analytics': os.environ['ANALYTICS_URL'],
    'audit': os.environ['AUDIT_URL'],
}

# CORRECTION: the guide calls this and leaves it open. None is enough for everything but autogenerate.
def get_metadata(db_name):
    return None

# CORRECTION: the guide's callback takes (ctx, revision, heads), but Alembic calls it with the keywords ctx, step,
# heads and run_args. The guide's before_migration is not here: Alembic has no call before a revision.
def after_migration(ctx, step, heads, run_args):
    """Run after each migration."""
    print(f"Completed migration: {step.up_revision_id}")
    # Clear caches, notify services, etc.

def run_migrations_online():
    """Run migrations for each database."""
    for db_name, url in DATABASES.items():
        config = context.config
        config.set_main_option('sqlalchemy.url', url)

        connectable = engine_from_config(
            config.get_section(config.config_ini_section),
            prefix='sqlalchemy.',
            poolclass=pool.NullPool,
        )

        with connectable.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=get_metadata(db_name),
                version_table=f'alembic_version_{db_name}',
                on_version_apply=after_migration,
            )

            with context.begin_transaction():
                context.run_migrations()

# CORRECTION: the guide defines the function and never calls it.
run_migrations_online()
