"""The judgement of one row: whether a column can be given up without losing what is in it. Pure text of PL/pgSQL.

It says ``same``, ``differs``, ``lossy`` (what is given up cannot be had back from what stays) or ``refused`` (it does
not convert).
"""

from headway.sync.body import REFUSALS, same
from headway.sync.pair import Conversion, Pair

BEFORE = "before"
"""The new column is yet to be filled: would it hold what the old one does?"""
CONTRACT = "contract"
"""The old column is to go."""
UNDO = "undo"
"""The new column is to go."""


def judge(pair: Pair, purpose: str) -> str:
    """The function's body; its parameters are the values of the old and the new column."""
    lines = [
        "#variable_conflict use_column",
        "DECLARE",
        "    judged_old ALIAS FOR $1;",
        "    judged_new ALIAS FOR $2;",
        f"    headway_forward {pair.new.type};",
        f"    headway_back {pair.old.type} := $1;",
        "    headway_no_forward boolean := false;",
        "    headway_no_back boolean := false;",
        "BEGIN",
        *_tried("headway_forward", pair.forward, "judged_old", "headway_no_forward"),
        *(["    judged_new := headway_forward;"] if purpose == BEFORE else []),
        *(_tried("headway_back", pair.back, "judged_new", "headway_no_back") if pair.back else []),
        *(_undone(pair) if purpose == UNDO else _given_up(pair)),
        "END",
    ]
    return "\n".join(lines)


def _tried(variable: str, conversion: Conversion, value: str, failed: str) -> list[str]:
    return [
        "    BEGIN",
        f"        {variable} := {conversion.of(value)};",
        f"    EXCEPTION WHEN {REFUSALS} THEN",
        f"        {failed} := true;",
        "    END;",
    ]


def _given_up(pair: Pair) -> list[str]:
    lines = ["    IF headway_no_forward AND judged_new IS NULL THEN RETURN 'refused'; END IF;"]
    if pair.back is None:
        # One way, nobody knows whether new code has emptied the column or nobody has filled it.
        kept = f"judged_new IS NOT NULL OR {same('headway_forward', 'judged_new')}"
        return [*lines, f"    RETURN CASE WHEN {kept} THEN 'same' ELSE 'lossy' END;"]
    cast = "" if pair.is_comparable else "::text"
    return [
        *lines,
        f"    IF NOT headway_no_forward AND {same('headway_forward', 'judged_new')} THEN",
        f"        RETURN CASE WHEN headway_no_back OR judged_old{cast} IS DISTINCT FROM headway_back{cast} "
        "THEN 'lossy' ELSE 'same' END;",
        "    END IF;",
        # What new code wrote, as far as the old column can hold it.
        "    IF headway_no_back THEN",
        "        RETURN CASE WHEN judged_old IS NULL THEN 'same' ELSE 'differs' END;",
        "    END IF;",
        f"    RETURN CASE WHEN {same('headway_back', 'judged_old')} THEN 'same' ELSE 'differs' END;",
    ]


def _undone(pair: Pair) -> list[str]:
    is_followed = f"NOT headway_no_forward AND {same('headway_forward', 'judged_new')}"
    lines = [f"    IF judged_new IS NULL OR {is_followed} THEN RETURN 'same'; END IF;"]
    if pair.back is None:
        return [*lines, "    RETURN 'lossy';"]
    return [
        *lines,
        "    IF headway_no_back THEN RETURN 'refused'; END IF;",
        f"    RETURN CASE WHEN {same('headway_back', 'judged_old')} THEN 'lossy' ELSE 'differs' END;",
    ]
