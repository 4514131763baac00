"""The text of a sync trigger's function: who has changed what is told by values alone, never by a mark of ours.

Values are compared byte by byte (``record_image_eq``). The types' own ``=`` would call two values equal
that are not the same (citext, numeric 1.0 and 1.00, a collation that ignores case, box) and lose the write between
them; json and xml have none.
"""

from headway.sync.names import identifier
from headway.sync.pair import Conversion, Pair

# What a conversion says no with: bad data, a domain's or a table's rule, RAISE in a function of the user's.
REFUSALS = "data_exception OR integrity_constraint_violation OR raise_exception"


def same(one: str, other: str) -> str:
    """SQL: the same bytes, or both NULL."""
    return f"pg_catalog.record_image_eq(ROW({one}), ROW({other}))"


def differs(one: str, other: str) -> str:
    """SQL: not the same bytes."""
    return f"pg_catalog.record_image_ne(ROW({one}), ROW({other}))"


def function_body(pair: Pair) -> str:
    """PL/pgSQL, from DECLARE to END."""
    old, new = identifier(pair.old.name), identifier(pair.new.name)
    default = "NULL" if pair.new.default is None else f"({pair.new.default})"
    lines = [
        # A column that has the name of one of the variables means itself.
        "#variable_conflict use_column",
        "DECLARE",
        f"    headway_forward {pair.new.type};",
        # Not NULL at first, which a domain may not allow.
        *([f"    headway_back {pair.old.type} := NEW.{old};"] if pair.back else []),
        f"    headway_default {pair.new.type} := {default};",
        "    headway_new_was_written boolean;",
        "BEGIN",
        *converted("headway_forward", pair.forward, f"NEW.{old}"),
        f"    IF {same('headway_forward', f'NEW.{new}')} THEN",
        "        RETURN NEW;",
        "    END IF;",
        "    IF TG_OP = 'UPDATE' THEN",
        f"        headway_new_was_written := {differs(f'NEW.{new}', f'OLD.{new}')};",
        f"        IF NOT headway_new_was_written AND {untouched(pair)} THEN",
        "            RETURN NEW;",
        "        END IF;",
        "    ELSE",
        f"        headway_new_was_written := {differs(f'NEW.{new}', 'headway_default')};",
        "    END IF;",
        "    IF headway_new_was_written THEN",
        *_new_wins(pair, old, new),
        "    ELSE",
        *_old_wins(pair, old, new),
        "    END IF;",
        "    RETURN NEW;",
        "END",
    ]
    return "\n".join(lines)


def untouched(pair: Pair) -> str:
    """SQL: an UPDATE that has not written the old column, of a row that is not one yet to be filled."""
    old, new = identifier(pair.old.name), identifier(pair.new.name)
    return f"{same(f'NEW.{old}', f'OLD.{old}')} AND NEW.{new} IS NOT NULL"


def _new_wins(pair: Pair, old: str, new: str) -> list[str]:
    if pair.back is None:
        return ["        NULL;"]
    # NULL in place of what the old type cannot hold; where the old column takes no NULL, the writer has the error.
    back = Conversion(pair.back.expression, pair.back.name, pair.back.is_total or not pair.is_old_nullable)
    return [*converted("headway_back", back, f"NEW.{new}"), f"        NEW.{old} := headway_back;"]


def _old_wins(pair: Pair, old: str, new: str) -> list[str]:
    if pair.back is None or (pair.back.is_total and pair.forward.is_total):
        return [f"        NEW.{new} := headway_forward;"]
    # A row that moves to another partition is inserted there with both values; the new one may be its default.
    moved = Conversion(pair.back.expression, pair.back.name, is_total=False)
    return [
        f"        IF TG_OP = 'INSERT' AND NEW.{new} IS NOT NULL THEN",
        *converted("headway_back", moved, f"NEW.{new}"),
        f"            IF {same('headway_back', f'NEW.{old}')} THEN",
        "                RETURN NEW;",
        "            END IF;",
        "        END IF;",
        f"        NEW.{new} := headway_forward;",
    ]


def converted(variable: str, conversion: Conversion, value: str) -> list[str]:
    """Assign the converted value to a variable; NULL where it does not convert."""
    assignment = f"{variable} := {conversion.of(value)};"
    if conversion.is_total:
        return [f"    {assignment}"]
    return [
        "    BEGIN",
        f"        {assignment}",
        f"    EXCEPTION WHEN {REFUSALS} THEN",
        f"        {variable} := NULL;",
        "    END;",
    ]


def search_path(pair: Pair) -> str:
    """The function's own: what a writer has set must not change what names mean."""
    if pair.path is None:
        return "SET search_path FROM CURRENT"
    return f"SET search_path = {', '.join(one for one in ('pg_catalog', pair.path, 'pg_temp') if one)}"
