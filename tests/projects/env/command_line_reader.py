"""Looks at Alembic's own arguments: the command, its revision, -x, offline or not."""

from alembic import context
from sqlalchemy import create_engine

options = context.config.cmd_opts
arguments = context.get_x_argument(as_dictionary=True)
assert options.x == ["tenant=acme"], options.x
assert options.revision == "heads"
assert options.cmd[0].__name__ == "upgrade"
assert not getattr(options, "sql", False)

url = context.config.get_main_option("sqlalchemy.url")
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url).connect() as connection:
        context.configure(connection=connection, version_table="version_of_" + arguments["tenant"])
        with context.begin_transaction():
            context.run_migrations()
