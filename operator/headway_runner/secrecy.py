"""What must never be shown: the passwords that this process has seen, and whatever looks like credentials.

Values are learnt from the request's variables and from every connection that is opened; forked phases inherit them.
Texts shorter than four characters are not searched for: masking them would leave no sentence readable.
"""

import re
from urllib.parse import quote, quote_plus

SHORTEST_CHARACTERS = 4

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_PASSWORD = re.compile(r"""(?i)\b(password|passwd|pwd)(["']?\s*[=:]\s*)('[^']*'|"[^"]*"|\S+)""")

_known: set[str] = set()


def learn(*secrets: object) -> None:
    """Never show these from now on, neither as they are nor encoded for a URL."""
    for secret in secrets:
        if isinstance(secret, str) and len(secret) >= SHORTEST_CHARACTERS:
            _known.update((secret, quote(secret, safe=""), quote_plus(secret)))


def mask(text: str) -> str:
    """The text without them."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _PASSWORD.sub(r"\1\2***", _CREDENTIALS.sub("://***@", text))
