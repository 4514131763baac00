"""Log lines as JSON objects, for programs that gather them: one line each, tracebacks included, masked like the text.

Rule: texts are masked before they are put into JSON, where quotes and line breaks are written otherwise.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from headway_operator.cluster.interface import Key

_RESOURCE: ContextVar[Key | None] = ContextVar("resource", default=None)


@contextmanager
def about(resource: Key) -> Iterator[None]:
    """Whatever is logged inside, and in tasks that are started inside, is about this resource."""
    before = _RESOURCE.set(resource)
    try:
        yield
    finally:
        _RESOURCE.reset(before)


class JsonFormatter(logging.Formatter):
    """``time`` (RFC 3339, UTC), ``level`` (lower case), ``logger``, ``message``.

    Where the line is about a resource also ``namespace`` and ``name``, and ``error`` with a traceback.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII: no character of a message ends it."""
        when = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._mask(record.getMessage()),
        }
        resource = _RESOURCE.get()
        if resource is not None:
            line |= {"namespace": resource.namespace, "name": resource.name}
        if record.exc_info:
            line["error"] = self._mask(self.formatException(record.exc_info))
        return json.dumps(line)
