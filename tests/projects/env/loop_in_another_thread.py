"""The engine lives in an event loop of another thread; env.py hands the work over and waits."""

import asyncio
import threading
from typing import Any

from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def migrate(connection: Any) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run_coroutine_threadsafe(main(), loop).result()
