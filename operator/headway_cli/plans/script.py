"""A plan as SQL: one script for each database, with a comment wherever the text is not what would run."""

from __future__ import annotations

from collections.abc import Iterator

from headway_cli.plans.view import ShownDatabase, ShownPlan, ShownRevision, ShownStatement

_HEAD = (
    "What the revisions would do, to be read. It is no replacement for running them: it notes nothing in the version "
    "table, and what a revision decides at run time is not in it."
)


def script(plan: ShownPlan) -> Iterator[str]:
    """The lines."""
    yield f"-- {plan.name}"
    yield from _comment(_HEAD)
    for note in plan.notes:
        yield from _comment(note)
    for database in plan.databases:
        yield ""
        yield f"-- database {database.name}, from {', '.join(database.current) or 'base'}"
        yield from _of_database(database)


def _of_database(one: ShownDatabase) -> Iterator[str]:
    if one.failure:
        yield from _comment(f"The look at it failed. {one.failure}")
    for revision in one.revisions:
        yield ""
        yield from _of_revision(revision)
    if one.pending_count > len(one.revisions):
        yield f"-- and {one.pending_count - len(one.revisions)} further revisions"


def _of_revision(one: ShownRevision) -> Iterator[str]:
    yield f"-- revision {one.revision}" + (f": {' '.join(one.title.split())}" if one.title else "")
    if one.post_deploy:
        yield "-- runs after the application is rolled out"
    told = ""
    for statement in one.statements:
        if statement.operation and (call := f"{statement.operation}:{statement.line}") != told:
            told = call
            yield from _comment(
                f"{statement.operation} (line {statement.line}): the form that a script has. A run works in short "
                "steps instead, and goes on where it was stopped."
            )
        yield from _of_statement(statement)
    if one.not_shown:
        yield from _comment(f"Not everything is here: {one.not_shown}.")


def _of_statement(one: ShownStatement) -> Iterator[str]:
    """A text that is not what would run is a comment, so that nobody runs it by mistake."""
    if one.lost_parameters or one.is_cut:
        why = (
            "its values are known only when it runs"
            if one.lost_parameters
            else "it is longer than what is told"
        )
        yield from _comment(f"Line {one.line}: {why}.")
        yield from _comment(one.sql)
        return
    if one.autocommit:
        yield "-- outside of the revision's transaction"
    yield f"{one.sql};"


def _comment(text: str) -> Iterator[str]:
    """Each of its lines."""
    for line in text.splitlines():
        yield f"-- {line}".rstrip()
