"""What everybody relies on changes (53)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Other
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding

KINDS = {
    "GrantStmt": "Privileges change",
    "GrantRoleStmt": "Roles change",
    "AlterDefaultPrivilegesStmt": "Default privileges change",
    "AlterExtensionStmt": "An extension gets another version",
    "AlterOwnerStmt": "An object gets another owner",
}


def privileges_or_an_extension_change(revision: Revision) -> Iterator[Finding]:
    """GRANT, REVOKE, a new owner, or ALTER EXTENSION … UPDATE.

    Whether the application still may, or still can, do what it does shows only with its own role.

    Anti-pattern::

        op.execute("REVOKE ALL ON users FROM shop")

    Best practice::

        # tried with the application's role first; a revision of its own, so that it can be taken back alone
    """
    for found in revision.of(Other):
        if found.change.kind in KINDS:
            yield revision.finding(
                found,
                f"{KINDS[found.change.kind]}.",
                "Whether the application can still do its work shows only with its own role.",
                "Try it with that role first, and keep it in a revision of its own.",
            )
