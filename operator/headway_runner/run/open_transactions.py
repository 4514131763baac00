"""The transaction of a context between its revisions: what is to be committed, and what must not stay open."""

from alembic.runtime.migration import MigrationContext

from headway_runner.project.alembic_env import commits_each_revision, is_in_outer_transaction


def let_go(context: MigrationContext) -> bool:
    """End the transaction that asking for the heads has begun; False where env.py or Alembic keeps one open."""
    if not commits_each_revision(context):
        return False
    if context.connection is not None and context.connection.in_transaction():
        # The version table may just have been made in it.
        context.connection.commit()
    return True


def heal(context: MigrationContext) -> bool:
    """Commit the tail of a revision that committed by itself: the version row is in it and would be lost.

    False: there was none, or it is not ours to commit.
    """
    connection = context.connection
    if connection is None or is_in_outer_transaction(context) or not connection.in_transaction():
        return False
    if not commits_each_revision(context):
        return False
    connection.commit()
    return True


def heads_now(context: MigrationContext) -> tuple[str, ...]:
    """The heads as this session sees them, with no transaction left open for asking."""
    connection = context.connection
    was_in_transaction = connection is None or connection.in_transaction()
    heads = tuple(str(head) for head in context.get_current_heads())
    if connection is not None and not was_in_transaction and connection.in_transaction():
        connection.rollback()
    return heads
