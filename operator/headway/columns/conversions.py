"""What is known of a change of type by the types alone. Pure.

Only what surely holds is said: where nothing is known, every value is tried and looked at.
"""

import re

WIDER = {
    "smallint": ("integer", "bigint", "numeric", "real", "double precision"),
    "integer": ("bigint", "numeric", "double precision"),
    "bigint": ("numeric",),
    "real": ("double precision",),
}
_VARCHAR = re.compile(r"character varying(?:\((\d+)\))?")
_NUMERIC = re.compile(r"numeric\(\d+,\d+\)")


def is_lossless(old: str, new: str) -> bool:
    """Each value converts, and converts back to what it was; by the names that ``format_type`` gives."""
    return old == new or new in WIDER.get(old, ()) or _is_longer(old, new) or _loses_its_bounds(old, new)


def _loses_its_bounds(old: str, new: str) -> bool:
    return new == "numeric" and bool(_NUMERIC.fullmatch(old))


def _is_longer(old: str, new: str) -> bool:
    one, other = _VARCHAR.fullmatch(old), _VARCHAR.fullmatch(new)
    if new == "text" or (other and not other[1]):
        return bool(one) or old == "text"
    return bool(one and other and one[1] and other[1] and int(other[1]) >= int(one[1]))


SEQUENCE_TYPES = {"smallint": 1, "integer": 2, "bigint": 3}


def sequence_type(current: str, column: str) -> str | None:
    """What a sequence must become that fills such a column; None: it is large enough, or it is no whole number."""
    wanted = SEQUENCE_TYPES.get(column, 0)
    return column if wanted > SEQUENCE_TYPES.get(current, 3) else None
