"""What ends a run for a reason that is already known.

Rule: it imports nothing of SQLAlchemy and Alembic, because a process without them meets it, too.
"""

from headway_contract.result import Failure


class RunFailed(Exception):
    """The run cannot go on, for a reason that is already known."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure

    def __reduce__(self) -> tuple[type["RunFailed"], tuple[Failure]]:
        return RunFailed, (self.failure,)
