"""Secrets that tests plant, each to be told apart, and the search for them in everything that comes out."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote


class Canaries:
    """Plants them and finds them again, however they are written."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def plant(self, what: str, odd: bool = False) -> str:
        """A fresh secret; an odd one has marks in it that URLs, shells, Python and SQL write differently."""
        first, last = (f"c4n{secrets.token_hex(5)}" for _ in range(2))
        self.planted[what] = f"{first} /@:%'\"é+{last}" if odd else first
        return self.planted[what]

    def found_in(self, texts: Mapping[str, str]) -> list[str]:
        """Each secret that is in one of these texts, with the line around it."""
        return [
            f"{what} in {where}: {_around(text, needle)}"
            for where, text in texts.items()
            for what, secret in self.planted.items()
            for needle in _needles(secret)
            if needle.lower() in text.lower()
        ]


def _needles(secret: str) -> Iterator[str]:
    """Its parts of letters and digits, which stay as they are in URLs, Python, SQL and JSON; and base64 and hex."""
    parts = re.findall(r"[A-Za-z0-9]{8,}", secret)
    yield from dict.fromkeys(parts)
    for text in {secret, quote(secret, safe=""), *parts}:
        raw = text.encode()
        yield from (base64.b64encode(raw).decode().rstrip("="), raw.hex())


def _around(text: str, needle: str) -> str:
    place = text.lower().index(needle.lower())
    return text[max(place - 100, 0) : place + len(needle) + 60].replace("\n", "⏎")
