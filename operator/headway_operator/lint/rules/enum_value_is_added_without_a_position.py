"""The order of an enum depends on when a value came (19)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddEnumValue
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def enum_value_is_added_without_a_position(revision: Revision) -> Iterator[Finding]:
    """ALTER TYPE … ADD VALUE without BEFORE or AFTER.

    The value comes last. ORDER BY and comparisons follow that order, and it cannot be changed later.

    Anti-pattern::

        op.execute("ALTER TYPE priority ADD VALUE 'medium'")

    Best practice::

        op.execute("ALTER TYPE priority ADD VALUE 'medium' AFTER 'low'")
    """
    for found in revision.of(AddEnumValue):
        change = found.change
        if not change.is_placed:
            yield revision.finding(
                found,
                f"The value {change.value!r} of {change.name} is added without a position.",
                "It comes last in every ORDER BY, and that cannot be changed later.",
                "Say where it belongs: `BEFORE` or `AFTER` another value.",
            )
