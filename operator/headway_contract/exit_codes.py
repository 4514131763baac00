"""How the runner's process ends; the numbers follow sysexits where one fits.

An exit code alone never means success: the result in the termination message does. The code lets a Job fail at
once (``podFailurePolicy``) and tells a person on a laptop what kind of end it was.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The runner's exit codes, each with what it means."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> "ExitCode":
        """A number that knows its meaning."""
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning = meaning
        return code

    SUCCEEDED = 0, "The database confirmed that nothing is pending."
    BAD_REQUEST = (
        64,
        "The request itself cannot be read or contradicts itself: an operator and a runner that do not fit.",
    )
    BAD_HISTORY = 65, "The revisions, the target and the database do not fit together."
    UNAVAILABLE = 69, "The database could not be reached or the connection was lost: worth another attempt."
    MIGRATION_FAILED = 70, "A revision failed, or what it did was not kept: a person is needed."
    STOPPED = 72, "Stopped at a safe point because it was asked to: the next run goes on from here."
    BUSY = 75, "A lock could not be had in time: worth another attempt."
    REFUSED = 77, "The database refused the credentials or a permission."
    MISCONFIGURED = 78, "The project or its configuration leads somewhere else than the request says."
    OLD_PYTHON = 79, "The image's Python is older than the runner needs."
