"""The password is a token, put in when a connection is made, as for databases with IAM."""

import os
from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, make_url

url = make_url(context.config.get_main_option("sqlalchemy.url")).set(password=None)
engine = create_engine(url, connect_args={"sslmode": "disable"})


@event.listens_for(engine, "do_connect")
def provide_token(dialect: Any, record: Any, positional: Any, named: dict[str, Any]) -> None:
    named["password"] = os.environ["IAM_TOKEN"]


with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
