"""An application with plug-ins finds out only here where the revisions are."""

from pathlib import Path

from alembic import context
from sqlalchemy import create_engine

here = Path(context.script.dir).parent
context.script.version_locations = [str(here / "core"), str(here / "plugin")]

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
