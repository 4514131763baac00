"""Between expand and contract `alembic check` and autogenerate see nothing, whichever release the models are of."""

from __future__ import annotations

import logging
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from support.projects import from_template

ENV = """
    from alembic import context
    import sqlalchemy as sa

    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=context.config.attributes["metadata"],
            compare_type=True, compare_server_default=True, **context.config.attributes.get("options", {}),
        )
        with context.begin_transaction():
            context.run_migrations()
"""
OLD, NEW = "name", "full_name"


def models(*names, key="id", big=False, schema=None, extra=()):
    """A release's models: which names the users' name has, and which its key."""
    metadata = sa.MetaData(schema=schema)
    prefix = f"{schema}." if schema else ""
    integer = sa.BigInteger if big else sa.Integer
    sa.Table(
        "users", metadata,
        sa.Column("id", integer, primary_key=True),
        *(sa.Column(name, sa.String(50), nullable=False, server_default="nobody") for name in names),
        sa.Column("email", sa.String(50), unique=True),
        *(sa.Index(f"ix_users_{name}", name) for name in names),
        *extra,
    )  # fmt: skip
    sa.Table(
        "orders", metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey(f"{prefix}users.id"), nullable=False),
    )  # fmt: skip
    return metadata


class Project:
    """An Alembic project on one database; its models are given at each command."""

    def __init__(self, folder, database, **options):
        self.project = from_template(folder).write_env(textwrap.dedent(ENV))
        self.database, self.folder, self.options = database, folder, options

    def config(self, metadata):
        config = Config()
        config.set_main_option("script_location", str(self.folder / "migrations"))
        config.attributes.update(url=self.database.url(), metadata=metadata, options=self.options)
        return config

    def upgrade(self, revision, code):
        self.project.revision(revision, "import headway\n" + code)
        command.upgrade(self.config(None), "head")

    def check(self, metadata):
        """What `alembic check` says, "" when it is content; `revision --autogenerate` finds the same."""
        try:
            command.check(self.config(metadata))
            found = ""
        except CommandError as error:
            found = str(error)
        script = command.revision(self.config(metadata), "what is found", autogenerate=True, rev_id="found")
        path = Path(script.path)
        is_empty = "op." not in path.read_text().replace("from alembic import op", "")
        path.unlink()
        assert is_empty == (not found)
        return found


@pytest.fixture(params=[None, "app"])
def schema(request):
    return request.param


@pytest.fixture
def project(tmp_path, database, schema):
    if schema:
        database.execute(f"CREATE SCHEMA {schema}")
    engine = sa.create_engine(database.url())
    models(OLD, schema=schema).create_all(engine)
    engine.dispose()
    return Project(tmp_path, database, include_schemas=bool(schema))


def test_a_rename_is_clean_with_the_old_model_the_new_one_and_with_both(project, schema):
    project.upgrade("a1", f"headway.rename_column_expand('users', 'name', 'full_name', schema={schema!r})")
    for names in ((OLD,), (NEW,), (OLD, NEW)):
        assert project.check(models(*names, schema=schema)) == ""
    # Only what operations left is hidden.
    assert "name" in project.check(models(schema=schema))
    assert "age" in project.check(models(NEW, schema=schema, extra=[sa.Column("age", sa.Integer)]))
    project.upgrade("a2", f"headway.rename_column_contract('users', 'name', 'full_name', schema={schema!r})")
    assert project.check(models(NEW, schema=schema)) == ""
    assert "full_name" in project.check(models(OLD, schema=schema))


def test_a_new_type_is_clean_with_the_old_model_until_the_contract_step(project, schema):
    project.upgrade("a1", f"headway.change_type_expand('users', 'id', sa.BigInteger, schema={schema!r})")
    assert project.check(models(OLD, schema=schema)) == ""
    assert "modify_type" in project.check(models(OLD, big=True, schema=schema))
    project.upgrade("a2", f"headway.change_type_contract('users', 'id', sa.BigInteger, schema={schema!r})")
    assert project.check(models(OLD, big=True, schema=schema)) == ""


def test_a_half_done_expand_step_is_clean_too(project, schema, database):
    project.upgrade("a1", f"headway.rename_column_expand('users', 'name', 'full_name', schema={schema!r})")
    where = f"{schema}." if schema else ""
    database.execute(
        f"DROP INDEX {where}ix_users_full_name; ALTER TABLE {where}users ALTER full_name DROP NOT NULL"
    )
    assert project.check(models(OLD, schema=schema)) == ""


def test_the_table_of_the_checkpoints_is_not_even_a_word_in_the_log(project, schema, caplog):
    code = f"headway.backfill('users', {{'name': \"'x'\"}}, schema={schema!r})"
    project.upgrade("a1", code)
    project.database.execute("CREATE TABLE stray (n int)")
    caplog.set_level(logging.INFO)
    assert "stray" in project.check(models(OLD, schema=schema))
    assert "stray" in caplog.text
    assert "headway_backfill" not in caplog.text
