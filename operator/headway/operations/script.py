"""The form that operations have in a script (``--sql``): each step a transaction of its own."""

from headway.place import Place
from headway.statements import PLAIN, quoted

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"


def write_steps(place: Place, *steps: "str | tuple[str, ...]") -> None:
    """Each step between BEGIN and COMMIT with a time-out for its locks, outside of Alembic's own transaction.

    A step is one statement or several; one that begins with ``--`` is a comment.
    """
    with place.outside():
        place.write(
            "-- Online, a step that does not get its lock in time is tried again, and steps that are done already",
            "-- are left out. Here: go on with the transaction that failed.",
        )
        for step in steps:
            statements = (step,) if isinstance(step, str) else step
            if statements[0].startswith("--"):
                place.write(*statements)
            else:
                place.write("BEGIN", LOCK_TIMEOUT, *statements, "COMMIT")


def validation(table: str, constraint: str) -> "tuple[str, ...]":
    """The step that looks at all rows; ``table`` is quoted."""
    statement = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(PLAIN, constraint)}"
    return ("SET LOCAL statement_timeout = 0", statement)
