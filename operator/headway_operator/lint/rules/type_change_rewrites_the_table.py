"""A column gets a type that is stored another way (9)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AlterType
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.types import keeps_its_bytes, may_keep_its_bytes


def type_change_rewrites_the_table(revision: Revision) -> Iterator[Finding]:
    """ALTER COLUMN … TYPE to a type that is stored another way.

    PostgreSQL writes the table anew, with all its indexes, under an ACCESS EXCLUSIVE lock; and running code that
    knows the old type may not bear the new one. A longer ``varchar``, ``varchar`` to ``text`` and a ``numeric`` of
    more digits are done at once. Which it is can be told when the call has ``existing_type``, or when an earlier
    revision of the same history says it; if not, a change to a text or a ``numeric`` is a warning. A ``USING`` that
    only casts the column to its new type is no more than that; any other makes PostgreSQL write the table anew.

    Anti-pattern::

        op.alter_column("users", "id", type_=sa.BigInteger(), existing_type=sa.Integer())

    Best practice::

        headway.change_type_expand("users", "id", sa.BigInteger())
        # in a revision with post_deploy = True
        headway.change_type_contract("users", "id")
    """
    for found in revision.of(AlterType):
        table, new = found.change.table, found.change.type
        old = revision.existing_type(found)
        is_kept = old is not None and found.change.using is None and keeps_its_bytes(old, new)
        if not is_kept and not revision.is_harmless(table, found):
            unknown = old is None and found.change.using is None and may_keep_its_bytes(new)
            yield _finding(revision, found, Severity.WARNING if unknown else Severity.ERROR)


def _finding(revision: Revision, found: Of[AlterType], severity: Severity) -> Finding:
    table, column = found.change.table, found.change.column
    may = "may be" if severity is Severity.WARNING else "is"
    return revision.finding(
        found,
        f"The type of {table}.{column} changes to {found.change.type.name}.",
        f"The table {may} written anew{revision.size_text(table)}, and nobody can read or write it meanwhile.",
        f"Use `headway.change_type_expand({table!r}, {column!r}, …)`, and contract after the rollout"
        + ("; or give `existing_type`, if it only grows." if severity is Severity.WARNING else "."),
        severity,
    )
