"""As whom a kubeconfig's user acts: the headers that its ``as`` stands for, the same as kubectl sends. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

Headers = tuple[tuple[str, str], ...]
_PLAIN_IN_A_NAME = "!#$&'*+^`|"
"""What the name of a header may have beside letters, digits and ``-._~``; ``%`` is what escapes the rest."""


class NobodyNamed(Exception):
    """Groups, a uid or more are asked for without a user; the message says so."""


def headers(user: Mapping[str, Any]) -> Headers:
    """For each request; none where the user acts as itself. Raises :class:`NobodyNamed`."""
    asked = tuple(_headers(user))
    if asked and not user.get("as"):
        raise NobodyNamed(
            "as-groups, as-uid and as-user-extra need a user to act as: set `as`, too, or give --as"
        )
    return asked


def _headers(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if user.get("as"):
        yield "Impersonate-User", str(user["as"])
    if user.get("as-uid"):
        yield "Impersonate-Uid", str(user["as-uid"])
    for group in user.get("as-groups") or ():
        yield "Impersonate-Group", str(group)
    for key, values in (user.get("as-user-extra") or {}).items():
        for value in values or ():
            yield f"Impersonate-Extra-{quote(key, safe=_PLAIN_IN_A_NAME)}", str(value)
