"""Keeps what came from Secrets, from the command line and from the environment out of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from headway_contract.masking import MASK, Masker

if TYPE_CHECKING:
    from headway_operator.cluster.local_process import Sources

_OPEN = ("host", "port", "dbname", "database", "user", "username", "type", "provider", "sslmode")
"""Keys under which the usual Secrets of a database say where it is: hidden, messages would say nothing."""

__all__ = ["MASK", "mask_for", "mask_of_words"]


def mask_for(sources: Sources, environment: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """Hides the values of Secrets, what is secret in the environment, and the passwords within, in any spelling."""
    masker = Masker()
    masker.learn_variables(environment or {})
    for entries in sources.secrets.values():
        for key, value in entries.items():
            if key.lower() in _OPEN:
                masker.show(value.strip())
            else:
                masker.learn(value)
    return masker.mask


def mask_of_words(words: Sequence[str]) -> Callable[[str], str]:
    """Hides the passwords within the URLs of a command line."""
    masker = Masker()
    for word in words:
        masker.learn_within(word)
        masker.learn_within(word.partition("=")[2])
    return masker.mask
