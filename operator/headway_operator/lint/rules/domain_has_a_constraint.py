"""A condition on a type is checked in every table that has it (45)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Other
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def domain_has_a_constraint(revision: Revision) -> Iterator[Finding]:
    """CREATE DOMAIN with a constraint, or ALTER DOMAIN … ADD CONSTRAINT.

    A constraint of a domain is added for all tables at once: PostgreSQL reads each of them while nobody can write.

    Anti-pattern::

        op.execute("CREATE DOMAIN email AS text CHECK (value LIKE '%@%')")

    Best practice::

        headway.add_check_online("email_form", "users", "email LIKE '%@%'")
    """
    for found in revision.of(Other):
        kind, tree = found.change.kind, found.change.tree
        is_added = kind == "AlterDomainStmt" and tree.get("subtype") in ("C", "AD_AddConstraint")
        if is_added or (kind == "CreateDomainStmt" and tree.get("constraints")):
            yield revision.finding(
                found,
                f"A domain {'gets' if is_added else 'is created with'} a constraint.",
                "To change it later, every table that has the domain is read while nobody can write to it.",
                "Put the CHECK on the column, with `headway.add_check_online(…)`.",
            )
