"""A backfill that was begun in a table of another oid than the one that has its name now. Pure.

A restored dump, a table that was made anew and one that was put into its place look the same here. In the first one
the rows that were done are done, in the second none is. So where twice does harm a person says which it is.
"""

from dataclasses import replace

from headway.backfills.kept_key import is_lost
from headway.backfills.known import Known
from headway.backfills.orders import Parked
from headway.backfills.places import Keys, Place
from headway.backfills.state import State
from headway.statements import literal

_FOR = " for "
"""Between the signature of the table that there is and the oid of the one that its places were told of."""
_BYTEWISE = (" pg_catalog.C", " pg_catalog.POSIX")
"""Ends of a mark with a collation whose order is the same on every server; others follow its libraries."""


def is_same(signature: str, known: Known) -> bool:
    """The table and its columns are those of this signature, or a person has said so."""
    return signature.partition(_FOR)[0] == known.signature


def is_another(signature: str, known: Known) -> bool:
    """Of what is not the same: the table itself, and not only a column of it."""
    return _oid(signature) != _oid(known.signature)


def adopted(state: State, signature: str, known: Known) -> State:
    """What it says of the table of the old oid is said of the one that there is."""
    old = signature.partition(_FOR)[2]
    if not old:
        return state
    new = str(known.oid)

    def renamed(leaf: str) -> str:
        return new if leaf == old else leaf

    return replace(
        state,
        leaf=renamed(state.leaf),
        done=tuple(renamed(one) for one in state.done),
        parked=tuple(Parked(renamed(one.leaf), one.key, one.sqlstate) for one in state.parked),
    )


def refusal(
    operation: str,
    signature: str,
    known: Known,
    states: "tuple[State, ...]",
    is_complete: bool,
    checkpoints: str,
) -> str:
    """What happened and how to go on; ``checkpoints``: the table (quoted) that has its rows."""
    which = f"WHERE operation = {literal(operation)}"
    said = (
        f"The backfill {operation} is {'complete' if is_complete else 'half done'}, each row exactly once, and "
        f"{known.schema}.{known.table} is another table now than the one that it was begun in: the database was "
        "restored from a dump, or the table was made anew or replaced. Nobody can tell whether its rows have the "
        "update already. Nothing was changed here. If the rows are new and have it not: DELETE FROM "
        f"{checkpoints} {which}; then it begins again. If they are those of a dump or copy"
    )
    if is_complete:
        wanted = known.signature
    elif _can_go_on(signature, known, states):
        wanted = f"{known.signature}{_FOR}{_oid(signature)}"
        said += f", and were not changed by hand since ({_left(states)} still without it)"
    else:
        return (
            f"{said}, give the rows that are left a backfill with a where= and a name= of its own; the column state "
            f"of {checkpoints} has how far it came."
        )
    then = "it counts as complete" if is_complete else "it goes on where it stopped"
    return (
        f"{said}: UPDATE {checkpoints} SET signature = {literal(wanted)} {which}; then {then}. Run the revision "
        "again after either."
    )


def _can_go_on(signature: str, known: Known, states: "tuple[State, ...]") -> bool:
    """A table without partitions, along a key in whose order every server has its rows."""
    told = {one for state in states for one in (state.leaf, *state.done, *(row.leaf for row in state.parked))}
    key = states[0].key
    return (
        [leaf.oid for leaf in known.leaves] == [known.oid]
        and told <= {"", _oid(signature)}
        and not is_lost(known, key)
        and all("." not in mark or mark.endswith(_BYTEWISE) for mark, _ in key)
    )


def _left(states: "tuple[State, ...]") -> str:
    """The ranges of keys that are still to be done, in words."""
    names = ", ".join(name for _, name in states[0].key)
    found = [_range(one.place) for one in states if one.place is not None and not one.place.is_over]
    return f"({names}) {' and '.join(found)}" if found else "rows that could not be updated"


def _range(place: Place) -> str:
    assert isinstance(place, Keys)
    above = f"above ({', '.join(place.after)}) " if place.after else ""
    return f"{above}up to ({', '.join(place.until or ())})"


def _oid(signature: str) -> str:
    return signature.partition(":")[0]
