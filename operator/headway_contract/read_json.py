"""JSON as a runner has written it, in text that can be written on.

Python reads a name in the wrong encoding, or an escape in a file, as a lone surrogate: a character that UTF-8 does
not have. JSON carries it, and whoever encodes the text then fails, each time anew. So it is replaced here, once.
"""

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def read_json(text: str) -> Any:
    """The value, every lone surrogate in it replaced; raises ValueError."""
    value = json.loads(text)
    if text.isascii() and not _ESCAPED.search(text):
        return value
    return _writable(value)


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(_REPLACEMENT, value)
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return {_writable(name): _writable(item) for name, item in value.items()}
    return value
