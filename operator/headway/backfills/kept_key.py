"""The key that a half-done backfill went along: its places are texts of that one, and which key a table is gone along
is found anew by each run. Pure.
"""

from dataclasses import replace

from headway.backfills.known import Column, Known

Kept = tuple[tuple[str, str], ...]
"""As the state has it."""


def kept(key: "tuple[Column, ...]") -> Kept:
    """What the checkpoint keeps of it."""
    return tuple((one.mark, one.name) for one in key)


def along(known: Known, key: Kept) -> Known:
    """With the key that was gone along, where it is still there, whatever stands before it now."""
    found = next((one for one in known.keys if _is_same(one[1], key)), None)
    return known if found is None else replace(known, key_name=found[0], key=found[1])


def is_lost(known: Known, key: Kept) -> bool:
    """There is no such key any more; a column that was only renamed is the same."""
    return bool(key) and not any(_is_same(columns, key) for _, columns in known.keys)


def _is_same(columns: "tuple[Column, ...]", key: Kept) -> bool:
    return [one.mark for one in columns] == [mark for mark, _ in key]
