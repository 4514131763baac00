"""Every name in a schema changes at once (18)."""

from collections.abc import Iterator

from headway_operator.lint.changes import RenameOther
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def schema_is_renamed(revision: Revision) -> Iterator[Finding]:
    """ALTER SCHEMA … RENAME.

    All tables in it have other names from this moment on; no view helps, and running code finds none of them.

    Anti-pattern::

        op.execute("ALTER SCHEMA shop RENAME TO store")

    Best practice::

        op.execute("CREATE SCHEMA store")
        # move the tables one by one, each with a view in the old place
    """
    for found in revision.of(RenameOther):
        if found.change.kind == "OBJECT_SCHEMA":
            yield revision.finding(
                found,
                f"The schema {found.change.name} is renamed to {found.change.to}.",
                "Running code finds none of its tables any more.",
                "Keep the name, or move table by table and leave views in the old place.",
            )
