"""A revision that does what cannot be shown without a database (47)."""

from collections.abc import Iterator

from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity


def revision_is_not_rendered(revision: Revision) -> Iterator[Finding]:
    """The SQL of a revision, or its end, is not known before it runs.

    It asks the database what to do next. Rules look at the SQL that is written out in its calls, and no further.
    That is how data are migrated, and mostly harmless; but it needs a word: under `lint.mode: Enforce` such a
    revision waits for a comment that says why it is, or for an approval of the plan.

    Anti-pattern::

        for name in inspect(op.get_bind()).get_table_names():
            op.add_column(name, sa.Column("tenant", sa.Text()))

    Best practice::

        for name in ("orders", "users"):
            op.add_column(name, sa.Column("tenant", sa.Text()))
    """
    if revision.facts.not_renderable:
        yield revision.finding(
            None,
            f"Not all of its SQL can be shown: {revision.facts.not_renderable}.",
            "The rules have seen only what is written out in its calls.",
            "Let a revision not depend on what it finds, or say in a comment why it is harmless.",
            Severity.WARNING if revision.is_postgresql else Severity.NOTICE,
        )
