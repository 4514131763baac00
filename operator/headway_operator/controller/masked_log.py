"""Log lines without credentials: tracebacks and messages of servers pass through here, too."""

import logging
import sys
from collections.abc import Callable


class MaskedFormatter(logging.Formatter):
    """Formats as always, then masks the whole, tracebacks included."""

    def __init__(self, mask: Callable[[str], str], pattern: str = "%(message)s") -> None:
        super().__init__(pattern)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The masked lines."""
        return self._mask(super().format(record))


def log_to_stderr(level: str, formatter: logging.Formatter) -> None:
    """Everything that is logged goes there; where logging is set up already it stays as it is."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler])
