"""PostgreSQL 14.0 to 14.3 build broken indexes (26)."""

from collections.abc import Iterator

from headway_operator.lint.changes import CreateIndex, Reindex
from headway_operator.lint.context import Place, Revision
from headway_operator.lint.findings import Finding

LAST_FAULTY = 3


def concurrent_build_runs_on_a_faulty_server(revision: Revision) -> Iterator[Finding]:
    """CREATE INDEX or REINDEX with CONCURRENTLY on PostgreSQL 14.0, 14.1, 14.2 or 14.3.

    In these releases a row that changes during the build may be missing in the index: queries do not find it, and
    unique indexes let doubles in. Asked only where the server's version is known.

    Anti-pattern::

        headway.create_index_concurrently("idx_users_email", "users", ["email"])  # on 14.3

    Best practice::

        # update the server to the newest minor release first, then build; REINDEX what was built before
    """
    parts = revision.server_version.split(".")
    if parts[0] != "14" or len(parts) < 2 or not parts[1].isdigit() or int(parts[1]) > LAST_FAULTY:
        return
    builds = [one for one in revision.of(CreateIndex, Reindex) if one.change.concurrently]
    places: tuple[Place, ...] = (*builds, *revision.operations("create_index_concurrently"))
    for found in places:
        yield revision.finding(
            found,
            f"An index is built CONCURRENTLY on PostgreSQL {revision.server_version}.",
            "This release may leave rows out of the index: they are not found, and doubles get in.",
            "Update the server to 14.4 or later first.",
        )
