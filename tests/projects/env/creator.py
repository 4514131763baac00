"""An engine that makes its connections itself, as for a socket, a proxy or a certificate."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, make_url

url = make_url(context.config.get_main_option("sqlalchemy.url"))


def connect() -> psycopg.Connection:
    return psycopg.connect(
        host=url.host,
        port=url.port,
        dbname=url.database,
        user=url.username,
        password=url.password,
        sslmode="disable",
    )


with create_engine("postgresql+psycopg://", creator=connect).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
