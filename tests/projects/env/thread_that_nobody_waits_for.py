"""The migration is left to a thread, and env.py ends."""

import threading
import time

from alembic import context
from sqlalchemy import create_engine


def migrate() -> None:
    time.sleep(0.3)
    with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


threading.Thread(target=migrate, daemon=True).start()
