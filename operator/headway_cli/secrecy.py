"""Keeps what came from Secrets out of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

from headway_operator.cluster.local_process import Sources

_SHORTEST = 4
"""Shorter values are words and numbers, and hiding them would hide everything."""
MASK = "***"


def mask_for(sources: Sources) -> Callable[[str], str]:
    """Replaces every Secret's value, and the password within a URL in any spelling."""
    found = {
        word for entries in sources.secrets.values() for value in entries.values() for word in _words(value)
    }
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
