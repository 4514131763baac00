"""Whether a word of ``headway plan`` is a file here or the name of a resource in a cluster. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One word, and whether there is a file or a folder of that name here."""

    text: str
    exists: bool


@dataclass(frozen=True)
class Meant:
    """What was taken, and what a person should know of that."""

    is_file: bool
    note: str = ""


def meant(word: Word, says_where: str) -> Meant:
    """``says_where``: what of the command says that it is about a cluster; empty where nothing does."""
    if _can_only_be_a_file(word.text):
        return Meant(True)
    if not word.exists:
        return Meant(False)
    if says_where:
        note = f"{word.text} is taken as the name of a resource, because of {says_where}; write ./{word.text} for the"
        return Meant(False, f"{note} file or folder here")
    note = f"{word.text} is taken as the file or folder here; name the namespace with -n for the resource {word.text}"
    return Meant(True, note)


def _can_only_be_a_file(text: str) -> bool:
    """No resource has such a name, or nobody would give it."""
    return text in ("-", ".", "..") or "/" in text or text.endswith((".yaml", ".yml"))
