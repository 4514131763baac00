"""Keeps what came from Secrets out of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

from headway_operator.cluster.local_process import Sources

_SHORTEST = 4
"""Shorter values are words and numbers, and hiding them would hide everything."""
MASK = "***"
_OPEN = ("host", "port", "dbname", "database", "user", "username", "type", "provider", "sslmode")
"""Keys under which the usual Secrets of a database say where it is: hidden, messages would say nothing."""


def mask_for(sources: Sources) -> Callable[[str], str]:
    """Replaces the values of Secrets, and the password within a URL in any spelling."""
    values = (
        value for one in sources.secrets.values() for key, value in one.items() if key.lower() not in _OPEN
    )
    found = {word for value in values for word in _words(value)}
    words = sorted((word for word in found if len(word) >= _SHORTEST), key=len, reverse=True)

    def mask(text: str) -> str:
        for word in words:
            text = text.replace(word, MASK)
        return text

    return mask


def _words(value: str) -> Iterator[str]:
    value = value.strip()
    try:
        password = urlsplit(value).password if "://" in value else None
    except ValueError:
        password = None
    if password is None:
        yield value
    else:
        yield from (value, password, unquote(password))
