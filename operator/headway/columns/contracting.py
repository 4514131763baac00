"""The end of a change: looks that nothing is lost, and the one short transaction that gives up a column.

Locks: ACCESS SHARE for the look at all rows; ACCESS EXCLUSIVE on the table, and on those that refer to the column,
for a moment, tried again and again.
"""

import re
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headway.columns.belongings import Belongings, read_belongings
from headway.columns.conversions import sequence_type
from headway.columns.copies import TYPE, copies_of
from headway.columns.copying import missing
from headway.columns.expanding import OWN_PATH, column_of, set_path
from headway.columns.identity import read_identity
from headway.columns.judge import CONTRACT
from headway.columns.look import SHOWN, Finding, differing
from headway.columns.partitions import MADE_BY, uncopied
from headway.columns.swap import Swap, statements, undoing
from headway.columns.wanted import CannotChange, pair_of
from headway.statements import execute, rows
from headway.sync.column import Column, Table
from headway.sync.converter import converter_removal
from headway.sync.found import Found, pair_on
from headway.sync.names import FILLING, literal, qualified
from headway.sync.pair import Pair

SEQUENCE = "SELECT format_type(seqtypid, NULL) FROM pg_catalog.pg_sequence WHERE seqrelid = {name}::regclass"
NOT_NULL = """
    SELECT n.conname, o.conname FROM pg_catalog.pg_constraint n, pg_catalog.pg_constraint o
    WHERE n.conrelid = {oid} AND o.conrelid = {oid} AND n.contype = 'n' AND o.contype = 'n'
      AND n.conkey = ARRAY[{new}::int2] AND o.conkey = ARRAY[{old}::int2]
"""
FILLED_BY = """
    SELECT DISTINCT t.tgname, p.prosrc FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = {oid} AND NOT t.tgisinternal AND pg_catalog.starts_with(t.tgname::text, {prefix}) ORDER BY 1
"""
WORDS = {
    "differs": "hold different values in the two columns, written while the triggers were off (by the session of a "
    "replica, or DISABLE TRIGGER)",
    "refused": "have a value that does not convert",
    "lossy": "have a value that the conversion changes, so that it could not be had back",
}
ADVICE = {
    "differs": "Set one of the columns to what is right (UPDATE … SET {new} = …)",
    "refused": "Change them, or give a using= or back= that converts them",
    "lossy": "Change them, or say lossy=True in the expand step if that may be",
}


@dataclass(frozen=True)
class Standing:
    """A change that is under way."""

    table: Table
    found: Found
    pair: Pair


def standing(connection: Connection, table: Table, old: str, new: str) -> Standing | None:
    """None: no triggers keep these two columns equal. In a transaction."""
    found = pair_on(connection, table, old, new)
    if found is None:
        return None
    set_path(connection, OWN_PATH)
    was, is_ = column_of(connection, table, old), column_of(connection, table, new)
    return Standing(table, found, pair_of(table, found.mark, was, is_.type, is_.comparable_default))


def refuse_what_is_lost(connection: Connection, it: Standing, purpose: str) -> None:
    """Look at all rows; raises :class:`CannotChange`. In a transaction."""
    set_path(connection, OWN_PATH)
    if purpose == CONTRACT and not it.found.is_enabled:
        raise CannotChange(
            f"The triggers of {it.table.schema}.{it.table.name} that keep {it.pair.old.name} and {it.pair.new.name} "
            "equal are disabled. ALTER TABLE … ENABLE TRIGGER, make the rows equal that were written meanwhile, and "
            "run the revision again."
        )
    refuse_findings(
        it.table, it.pair, it.found.mark.is_lossy, differing(connection, it.table, it.pair, purpose)
    )


def refuse_findings(table: Table, pair: Pair, is_lossy: bool, found: tuple[Finding, ...]) -> None:
    """Raises :class:`CannotChange` for those that somebody must look at."""
    against = tuple(one for one in found if one.kind != "lossy" or not is_lossy)
    if against:
        raise CannotChange(in_words(table, pair, against))


def in_words(table: Table, pair: Pair, findings: tuple[Finding, ...]) -> str:
    """Which rows, and what can be done."""
    parts = [f"rows {WORDS[one.kind]}: {'; '.join(one.keys)}" for one in findings]
    many = sum(len(one.keys) for one in findings) >= SHOWN
    steps = "; ".join(ADVICE[one.kind].format(new=pair.new.name) for one in findings)
    return (
        f"{table.schema}.{table.name}.{pair.old.name}: {'. And '.join(parts)}"
        f"{' (there may be more)' if many else ''}. {steps}; then run the revision again. Nothing was changed."
    )


def contract(connection: Connection, it: Standing) -> None:
    """In a transaction of its own; raises :class:`CannotChange`."""
    mark = it.found.mark
    set_path(connection, OWN_PATH)
    execute(connection, f"LOCK TABLE {qualified(it.table.schema, it.table.name)} IN ACCESS EXCLUSIVE MODE")
    old = column_of(connection, it.table, mark.old)
    belongings = read_belongings(connection, it.table, mark.old, old.number, mark.new)
    copies = copies_of(belongings, mark.kind, mark.old, mark.new)
    if mark.kind != TYPE:
        _refuse_what_is_filled_from_it(connection, it)
    _refuse_what_would_go(it, belongings, missing(connection, it.table.oid, copies))
    _refuse_what_partitions_would_lose(it, uncopied(connection, it.table, mark))
    swap = Swap(
        it.table.schema, mark, it.found.function, it.found.triggers, copies, old.sequence,
        _sequence_type(connection, old, it), read_identity(connection, old), _not_null(connection, it, old),
    )  # fmt: skip
    for one in statements(swap):
        execute(connection, one)


def _refuse_what_is_filled_from_it(connection: Connection, it: Standing) -> None:
    """A function's text hangs on no column in the catalog: without the column every write would fail."""
    word = re.compile(rf"(?<!\w){re.escape(it.pair.old.name)}(?!\w)")
    found = rows(connection, FILLED_BY.format(oid=it.table.oid, prefix=literal(FILLING)))
    triggers = [name for name, source in found if word.search(source)]
    if triggers:
        raise CannotChange(
            f"{it.table.schema}.{it.table.name}.{it.pair.old.name} cannot go, because a column is filled from it by: "
            f"{', '.join(triggers)}. Give that up with stop_filling_column() in a revision before this step; "
            f"add_column_with_backfill() makes it anew from {it.pair.new.name}. Nothing was changed."
        )


def _sequence_type(connection: Connection, old: Column, it: Standing) -> str | None:
    if not old.sequence or it.found.mark.kind != TYPE:
        return None
    ((type_,),) = rows(connection, SEQUENCE.format(name=literal(old.sequence)))
    return sequence_type(type_, it.pair.new.type)


def _not_null(connection: Connection, it: Standing, old: Column) -> tuple[str, str] | None:
    new = column_of(connection, it.table, it.found.mark.new)
    found = rows(connection, NOT_NULL.format(oid=it.table.oid, new=new.number, old=old.number))
    return (found[0][0], found[0][1]) if found else None


def _refuse_what_would_go(it: Standing, belongings: Belongings, lost: tuple[str, ...]) -> None:
    name = f"{it.table.schema}.{it.table.name}.{it.pair.old.name}"
    if belongings.stops:
        raise CannotChange(
            f"{name} cannot go, because it is used by: {', '.join(belongings.stops)}. Drop each in a revision before "
            f"this step and make it anew for {it.pair.new.name}, or after it. Nothing was changed."
        )
    if lost:
        raise CannotChange(
            f"{name} cannot go, because these would go with it and have no finished copy: {', '.join(lost)}. Run the "
            "expand step again, which copies what was added since, or drop what nobody needs any more. Nothing was "
            "changed."
        )


def _refuse_what_partitions_would_lose(it: Standing, lost: str) -> None:
    if lost:
        raise CannotChange(
            f"{it.table.schema}.{it.table.name}.{it.pair.old.name} cannot go, because these of single partitions "
            f"would go with it and have no finished copy on {it.pair.new.name}: {lost}. Make the same on "
            f"{it.pair.new.name} of that partition in a revision before this step ({MADE_BY}), "
            "or drop what nobody needs any more; then run this one again. Nothing was changed."
        )


def undo(connection: Connection, it: Standing) -> None:
    """Give up the new column instead, in a transaction of its own; raises :class:`CannotChange`."""
    mark, relation = it.found.mark, qualified(it.table.schema, it.table.name)
    set_path(connection, OWN_PATH)
    execute(connection, f"LOCK TABLE {relation} IN ACCESS EXCLUSIVE MODE")
    old = column_of(connection, it.table, mark.old)
    belongings = read_belongings(connection, it.table, mark.old, old.number, mark.new)
    copies = copies_of(belongings, mark.kind, mark.old, mark.new)
    for one in undoing(it.table.schema, mark, it.found.function, it.found.triggers, copies):
        execute(connection, one)
    execute(connection, converter_removal(it.found.converter, it.pair.old.type))
