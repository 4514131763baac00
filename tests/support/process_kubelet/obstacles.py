"""Why a container does not run: for now, or for ever. The reasons are those that the kubelet shows."""


class NotYet(Exception):
    """Cannot start now; the pod shows `reason` and `message` as waiting, and it is tried again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class NeverStarts(Exception):
    """The program cannot be started at all: the container ends with 128 and StartError."""
