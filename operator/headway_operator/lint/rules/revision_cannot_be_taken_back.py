"""There is no way back (52)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Change
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding


def revision_cannot_be_taken_back(revision: Revision) -> Iterator[Finding]:
    """A revision changes something, and its downgrade does nothing.

    An application that must go back to its last release finds the new schema. That is right where a revision only
    adds; where it does more, write down how to go back, or raise an error with a text that says
    why not.

    Anti-pattern::

        def downgrade():
            pass

    Best practice::

        def downgrade():
            op.drop_column("users", "status")
    """
    facts = revision.facts
    if facts.has_downgrade or facts.refuses_downgrade or not any(True for _ in revision.of(Change)):
        return
    yield revision.finding(
        None,
        "Its downgrade does nothing.",
        "An application that goes back to its last release finds the new schema.",
        "Write the way back, or raise an error in it with a text that says why there is none.",
    )
