"""All rows are looked at because a CHECK stands on the column (10)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AlterType
from headway_operator.lint.constraints_before import checks_before
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding
from headway_operator.lint.types import keeps_its_bytes


def type_change_checks_all_rows(revision: Revision) -> Iterator[Finding]:
    """A column's type only grows, or is given once more, and a CHECK constraint stands on the column.

    PostgreSQL changes such a type in its catalog alone. But it makes the CHECK anew for the new type, and so reads
    the whole table under an ACCESS EXCLUSIVE lock. Without the CHECK it is done at once; the CHECK is then added
    again as ``NOT VALID`` and validated, which holds nobody up.

    Anti-pattern::

        op.add_column("users", sa.Column("code", sa.String(10)))
        op.create_check_constraint("code_there", "users", "code <> ''")
        # in a later revision
        op.alter_column("users", "code", type_=sa.String(20))

    Best practice::

        op.drop_constraint("code_there", "users")
        op.alter_column("users", "code", type_=sa.String(20))
        # in the next revision
        headway.add_check_online("code_there", "users", "code <> ''")
    """
    for found in revision.of(AlterType):
        table, column, new = found.change.table, found.change.column, found.change.type
        old = revision.existing_type(found)
        only_grows = old is not None and found.change.using is None and keeps_its_bytes(old, new)
        checks = (
            [one for one in checks_before(revision, found, column) if not one.not_valid] if only_grows else []
        )
        if checks and not revision.is_harmless(table, found):
            named = f" {checks[0].name}" if checks[0].name else ""
            yield revision.finding(
                found,
                f"The type of {table}.{column} is set, which has the CHECK{named}{revision.size_text(table)}.",
                f"Nobody can read or write {table} until PostgreSQL has looked at all its rows.",
                "Drop the CHECK first, and add it again in the next revision with `headway.add_check_online`.",
            )
