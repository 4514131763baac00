"""For a while queries have no index at all (27)."""

from collections.abc import Iterator

from headway_operator.lint.built import built_indexes
from headway_operator.lint.changes import DropIndex
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def index_is_dropped_before_its_replacement(revision: Revision) -> Iterator[Finding]:
    """An index is dropped, and one of the same name is built afterwards.

    Until the new one is ready, queries that used the old one read the whole table.

    Anti-pattern::

        op.drop_index("idx_users_email", "users")
        op.create_index("idx_users_email", "users", ["email", "tenant"])

    Best practice::

        headway.create_index_concurrently("idx_users_email_tenant", "users", ["email", "tenant"])
        headway.drop_index_concurrently("idx_users_email", "users")
    """
    for found in revision.of(DropIndex):
        line, name = found.step.statement.line, found.change.name
        if found.change.if_exists:
            continue  # of a build that was interrupted, so that it can be built again
        later = [one for one in built_indexes(revision) if one.name == name and one.line > line]
        if later and not revision.is_harmless(later[0].table, later[0].place):
            yield revision.finding(
                found,
                f"The index {name} is dropped before the one that replaces it is built.",
                f"Until then queries read all of {later[0].table}.",
                "Build the new index under another name first, then drop the old one.",
            )
