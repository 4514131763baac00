"""Options that are about making revisions, and callbacks of its own for those that are applied."""

from typing import Any

from alembic import context
from sqlalchemy import MetaData, create_engine


def leave_alone(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    return name != "spatial_ref_sys"


def no_empty_revision(migration_context: Any, revision: Any, directives: list[Any]) -> None:
    if context.config.cmd_opts.autogenerate and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def first(*, ctx: Any, step: Any, heads: Any, run_args: Any, **_: Any) -> None:
    print("first callback:", step.up_revision_id, sorted(heads))


def second(*, step: Any, **_: Any) -> None:
    print("second callback:", step.up_revision_id)


with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=MetaData(),
        include_object=leave_alone,
        include_schemas=True,
        process_revision_directives=no_empty_revision,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        on_version_apply=[first, second],
    )
    with context.begin_transaction():
        context.run_migrations()
