"""Some run asyncio in a thread of its own, because a loop may be running in this one already."""

import asyncio
import threading
from typing import Any

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine


def migrate(connection: Any) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"))
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


thread = threading.Thread(target=lambda: asyncio.run(main()))
thread.start()
thread.join()
