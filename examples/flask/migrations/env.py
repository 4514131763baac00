"""What `flask db init` makes does the same: everything is asked of the application, so there must be one."""

from logging.config import fileConfig

from alembic import context
from flask import current_app

extension = current_app.extensions["migrate"]
fileConfig(context.config.config_file_name)

with extension.db.engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=extension.db.metadata, **extension.configure_args
    )
    with context.begin_transaction():
        context.run_migrations()
