"""What a target could have been: the revisions, heads and branch labels that the image has."""

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

SHOWN = 10
"""More names than these are counted only."""


def no_such_target(script: "ScriptDirectory", target: str) -> str:
    """Says what the image has instead, the most similar name first."""
    heads = tuple(sorted(script.get_heads()))
    revisions = [one for one in script.walk_revisions() if one is not None]
    labels = tuple(sorted({str(label) for one in revisions for label in one.branch_labels}))
    known = [*(f"{label}@head" for label in labels), *labels, *(str(one.revision) for one in revisions)]
    close = difflib.get_close_matches(target, [*known, "head", "heads"], n=1, cutoff=0.7)
    meant = f" Did you mean {close[0]}?" if close else ""
    has = f"Its {_listed('head', heads)}" + (f", its {_listed('label', labels)}" if labels else "")
    return f"The project has no revision or branch {target}.{meant} {has}."


def _listed(noun: str, names: tuple[str, ...]) -> str:
    """``head is a1``, ``labels are x, y and 3 more``."""
    verb = f"{noun} is" if len(names) == 1 else f"{noun}s are"
    return f"{verb} {few(names)}"


def few(names: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    all_names = tuple(names)
    more = f" and {len(all_names) - SHOWN} more" if len(all_names) > SHOWN else ""
    return ", ".join(all_names[:SHOWN]) + more
