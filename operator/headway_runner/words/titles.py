"""A revision as people know it."""

from headway_contract.result import shorten
from headway_runner.words.secrecy import mask

TITLE_CHARACTERS = 80


def named(revision: str, title: str) -> str:
    """Its id and what its file says of it: ``1a2b (add status to users)``."""
    text = shorten(mask(" ".join(title.split())), TITLE_CHARACTERS)
    return f"{revision} ({text})" if text else revision
