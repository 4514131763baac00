"""How a table is gone through, and why: the first rule that answers decides. Pure.

What must hold: a row that is visited again comes to no harm. Blocks visit some rows again, because an updated
row lies elsewhere, and miss rows that writers move past them. So they need a condition that no updated row meets:
with it what was missed is found at the end. Or a trigger that keeps every new version right. Where there is neither,
the rows are taken along a unique key that does not move, with the last key in the transaction of the batch: each
exactly once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from headway.backfills.known import Asked, Known

STRIPES = ((32, 16), (16, 8), (6, 4))
"""Rows in a block from which on so many stripes pay."""
SCATTERED = 2
"""Times as many where an index is in another order than the blocks: its pages cannot be cleaned as the blocks are, so
as few new entries as can be are worth more passes. Measured with a random UUID key: index +1 % instead of +11 %.
"""
ROOMY = 0.6
"""Blocks that are filled no more than this take the new versions of all their rows, as with fillfactor 50."""


@dataclass(frozen=True)
class Choice:
    """A way through the table."""

    strategy: str
    """``striped`` or ``keyset``."""
    reason: str
    """A sentence without a full stop."""
    stripes: int = 1
    guard: str = ""
    """What keeps updated rows from being chosen again: ``where``, ``distinct``, ``both``; empty: nothing
    does.
    """
    is_once: bool = False
    """Each row at most once, by the key alone; nothing is swept again."""
    may_repeat: bool = False
    """All of it may be done again once it is complete: where nobody can tell whether the column is
    another.
    """
    needs_hot: bool = True
    """Stripes are left where updates do not leave the indexes alone; else they are for the room alone."""
    must_clear: bool = False
    """An update that leaves its row chosen would happen again, and that would do harm: it is taken back."""
    is_harmful_again: bool = False
    """Nothing else may be done under its name once rows were updated, also when it is complete: an expression reads
    what it sets, or the revision asks for each row once.
    """


@dataclass(frozen=True)
class Refused:
    """No way is safe."""

    sentence: str


Decision = Choice | Refused
Rule = Callable[[Asked, Known], "Decision | None"]


def partition_key_is_set(asked: Asked, known: Known) -> Decision | None:
    """Such an update moves rows to other partitions, past the place where a sweep is."""
    hit = sorted(set(asked.columns) & set(known.partition_keys))
    if not hit:
        return None
    return Refused(
        f"{', '.join(hit)} decides in which partition of {known.table} a row lies, and rows that move between "
        "partitions cannot be swept. Fill a new table instead, or move the rows partition by partition with "
        "statements of your own."
    )


def once_is_asked_for(asked: Asked, known: Known) -> Decision | None:
    """By the revision itself."""
    return _once(asked, known, "exactly_once is asked for") if asked.exactly_once else None


def expression_reads_what_it_sets(asked: Asked, known: Known) -> Decision | None:
    """``balance = balance + 1`` must not happen twice."""
    if not known.reads_target or asked.exactly_once is False or guard_of(asked, known):
        return None
    return _once(
        asked, known, f"the expression reads {', '.join(asked.columns)}, so no row may be updated twice"
    )


def nothing_tells_updated_rows_apart(asked: Asked, known: Known) -> Decision | None:
    """Then each row is taken once, by the key."""
    is_kept_right = asked.synced and known.volatility != "volatile"
    if guard_of(asked, known) or asked.exactly_once is False or is_kept_right:
        return None
    why = f"the expression is {known.volatility} and no condition is known that updated rows do not meet"
    return _once(asked, known, why)


def keyset_is_asked_for(asked: Asked, known: Known) -> Decision | None:
    """By the revision itself."""
    return _keyset(asked, known, "it is asked for") if asked.strategy == "keyset" else None


def blocks_are_no_way(asked: Asked, known: Known) -> Decision | None:
    """Not PostgreSQL, too old, or not stored as a heap."""
    if not known.no_blocks:
        return None
    if asked.strategy == "striped":
        return Refused(
            f"strategy='striped' is impossible for {known.table}: {known.no_blocks}. Leave the strategy away."
        )
    return _keyset(asked, known, known.no_blocks)


def nothing_finds_moved_rows(asked: Asked, known: Known) -> Decision | None:
    """That a row may be updated twice does not say that it may be missed."""
    if guard_of(asked, known) or asked.synced:
        return None
    why = "a row that others update meanwhile may lie where the sweep was already, and no condition finds it there"
    if asked.strategy == "striped":
        return Refused(
            f"strategy='striped' may miss rows of {known.table}: {why}. Leave the strategy away, or give a where= "
            'that an updated row no longer meets, such as "status IS NULL".'
        )
    return _keyset(asked, known, why)


def blocks(asked: Asked, known: Known) -> Decision | None:
    """In stripes where they pay."""
    guard = guard_of(asked, known)
    safe = {
        "": "a trigger keeps new rows right",
        "where": "updated rows no longer meet the condition",
        "distinct": "rows that are right already are left alone",
        "both": "rows that are right already are left alone",
    }[guard]
    stripes, why = _stripes(asked, known, guard)
    return Choice(
        "striped",
        f"{safe}; {why}",
        stripes,
        guard,
        needs_hot=not known.indexes,
        must_clear=_must_clear(asked, known),
    )


RULES: tuple[Rule, ...] = (
    partition_key_is_set,
    once_is_asked_for,
    expression_reads_what_it_sets,
    nothing_tells_updated_rows_apart,
    keyset_is_asked_for,
    blocks_are_no_way,
    nothing_finds_moved_rows,
    blocks,
)


def choose(asked: Asked, known: Known) -> Decision:
    """By the first rule that answers."""
    return next(decision for rule in RULES if (decision := rule(asked, known)) is not None)


def guard_of(asked: Asked, known: Known) -> str:
    """The condition that no updated row meets; empty: none is known."""
    clears = known.where_reads_target and known.tried is not None and known.tried.clears
    if clears and asked.where:
        return "where"
    if known.reads_target or known.volatility != "immutable":
        return ""
    if known.is_comparable:
        return "both" if asked.where else "distinct"
    return "where" if known.where_reads_target else ""


def _must_clear(asked: Asked, known: Known) -> bool:
    """The trial saw the condition clear for a few rows; here every row must do so."""
    return known.reads_target and asked.exactly_once is not False


def _once(asked: Asked, known: Known, why: str) -> Decision:
    if asked.strategy == "striped":
        return Refused(
            f"strategy='striped' may update a row of {known.table} twice, and here that would do harm: {why}. "
            'Leave the strategy away, or give a where= that an updated row no longer meets, such as "status IS NULL".'
        )
    found = _keyset(asked, known, why)
    if isinstance(found, Refused):
        return found
    is_harmful = known.reads_target or bool(asked.exactly_once)
    may_repeat = not known.signature and not is_harmful
    return Choice("keyset", found.reason, is_once=True, may_repeat=may_repeat, is_harmful_again=is_harmful)


def _keyset(asked: Asked, known: Known, why: str) -> Decision:
    if not known.key:
        return Refused(
            f"{known.table} has no primary key and no unique index without NULL, so a sweep of it could not go on "
            f"where it stopped, and other ways are closed: {why}. Add such a key, or give a where= that an "
            "updated row no longer meets and an expression that reads none of the columns that it sets."
        )
    hit = sorted({*asked.columns, *known.generated} & {one.name for one in known.key})
    if hit:
        return Refused(
            f"{', '.join(hit)} belongs to the key that a backfill of {known.table} would go along, so it cannot "
            "be changed by one. Name another unique key with key=(…), or fill a new column and switch over to it."
        )
    guard = guard_of(asked, known)
    return Choice(
        "keyset", f"{why}; along {known.key_name}", guard=guard, must_clear=_must_clear(asked, known)
    )


def _stripes(asked: Asked, known: Known, guard: str) -> tuple[int, str]:
    wanted = next((stripes for rows, stripes in STRIPES if known.density >= rows), 1)
    if wanted == 1:
        return 1, "in order, because a block has few rows"
    if known.filled <= ROOMY:
        return 1, "in order, because blocks have room for the new versions"
    if not guard:
        return 1, "in order, because nothing tells updated rows apart"
    if known.indexes and asked.strategy != "striped":
        return 1, f"in order, because {known.indexes[0]} has the column"
    if known.old_snapshot:
        return 1, f"in order, because {known.old_snapshot} keeps blocks from being cleaned"
    if known.scattered:
        wanted *= SCATTERED
        return wanted, f"in {wanted} stripes, because {known.scattered} is in another order than the blocks"
    return wanted, f"in {wanted} stripes, so that new versions fit beside the old ones"
