"""Imports a whole application, which prints, configures logging, and starts threads and processes of its own."""

import atexit
import logging.config
import os
import subprocess
import sys
import threading

from alembic import context
from sqlalchemy import create_engine

print("application: printed")
print("application: printed past sys.stdout", file=sys.__stdout__)
os.write(1, b"application: written to the descriptor\n")
subprocess.run(["echo", "application: printed by a child"], check=True)
logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": True,
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
        "root": {"level": "DEBUG", "handlers": ["stdout"]},
    }
)
atexit.register(print, "application: ended")
threading.Thread(target=threading.Event().wait, daemon=True).start()

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
