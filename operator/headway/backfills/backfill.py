"""The call that a revision makes: fill columns of a table that is in use."""

from collections.abc import Mapping, Sequence

from sqlalchemy.sql import ClauseElement

from headway.backfills.call import Call
from headway.backfills.known import Asked
from headway.backfills.names import calling_revision, default_name
from headway.backfills.offline import write_script
from headway.backfills.queries import as_text, ended
from headway.backfills.staffing import MOST_WORKERS
from headway.backfills.whole import run
from headway.facts import BackfillFinished
from headway.pace import PACES, Pace
from headway.place import here
from headway.throttle.signals.query import Query
from headway.throttle.watch import check

Sql = str | ClauseElement
STRATEGIES = ("auto", "striped", "keyset")


def backfill(
    table: str,
    set_: Mapping[str, Sql],
    where: Sql | None = None,
    *,
    schema: str | None = None,
    strategy: str = "auto",
    key: Sequence[str] | None = None,
    name: str | None = None,
    exactly_once: bool | None = None,
    synced: bool = False,
    signals: Mapping[str, Sql] | None = None,
    pace: Pace | str | None = None,
    workers: int | None = None,
    batch_rows: int | None = None,
    analyze: bool = True,
) -> BackfillFinished | None:
    """Update the rows of a table that is in use, in short transactions, and go on after any interruption.

    ``set_``: column to SQL expression, as text or as an element of SQLAlchemy's; a text goes to the server as
    it is. ``where``: which rows, best as a condition that an updated row no longer meets (``status IS
    NULL``); then rows that others write meanwhile are found too, and sweeps are repeated until none is left.
    ``strategy``: ``striped`` along blocks, ``keyset`` along a unique key, ``auto`` what fits, with the reason
    told. ``key``: columns of the unique key, default the primary key. ``name``: in the table
    ``headway_backfill``, default by revision, table and columns. ``exactly_once``: True when no row may be
    updated twice; found out from the expression (``balance + 1``) on PostgreSQL when it is None; False
    vouches that twice does no harm, and no row is missed then either. ``synced``: a trigger fills the columns of
    new and changed rows.
    ``signals``: what else may hold it, by names for the status: queries, and while one gives more than 0, or
    for 15 s no answer, no batch begins; each has a second and cannot write. ``pace``: what is wished may be
    gentler; default that, else Balanced. ``workers``: at most so many sessions work on it at once, on PostgreSQL;
    what is wished may be less; default that, else 1. ``batch_rows``: at most so many rows in a batch.
    ``analyze``: new statistics of the columns at the end.

    Alembic's transaction is committed before, as by ``autocommit_block()``. A rerun goes on after the last
    batch that was committed; a backfill that is complete is not done again. With ``--sql`` statements that need
    no checkpoint are written (:mod:`headway.backfills.offline`), and None is returned.

    Locks on PostgreSQL: ROW EXCLUSIVE on the table and the locks of the rows of one batch, for about the
    pace's target (100 ms), waiting for others no longer than that; SHARE UPDATE EXCLUSIVE for ANALYZE.

    Returns the record of all its runs. Raises ValueError for arguments that make no sense, and of
    :mod:`headway.backfills`: ``claim.SecondRunner``, ``claim.Changed``, ``claim.NoCheckpoint``,
    ``checkpoint.TakenOver``, ``worker.BackfillIncomplete`` (rows that could not be updated, by key),
    ``known.NotPossible`` (no safe way through the table, with advice), ``known.NoSuchTable``,
    ``known.NoSuchColumn``, ``known.NoSuchKey``; ``headway.throttle.look.WrongQuery`` for a signal;
    ``headway.place.CannotCommit``; and the database's errors that trying again does not help.
    """
    if not isinstance(set_, Mapping):
        raise ValueError(
            f"set_ is a {type(set_).__name__}: give a mapping, such as {{'status': \"'active'\"}}."
        )
    if not set_:
        raise ValueError("set_ names no column: give at least one, such as {'status': \"'active'\"}.")
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy={strategy!r} is none of {', '.join(STRATEGIES)}.")
    if batch_rows is not None and batch_rows < 1:
        raise ValueError(f"batch_rows={batch_rows} is no number of rows: give 1 or more, or leave it away.")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise ValueError(f"workers={workers} is out of range: give 1 to {MOST_WORKERS}, or leave it away.")
    if isinstance(pace, str) and pace not in PACES:
        raise ValueError(f"pace={pace!r} is none of {', '.join(PACES)}.")
    place = here()
    queries = tuple(Query(label, sql) for label, sql in (signals or {}).items())
    check(queries, place.dialect.name)
    asked = Asked(
        table=table,
        schema=place.schema(schema),
        assignments=tuple((column, ended(as_text(sql, place.dialect))) for column, sql in set_.items()),
        where="" if where is None else ended(as_text(where, place.dialect)),
        strategy=strategy,
        key=tuple(key or ()),
        exactly_once=exactly_once,
        synced=synced,
        batch_rows=batch_rows,
        analyze=analyze,
    )
    if place.is_offline:
        write_script(place, asked)
        return None
    operation = name or default_name(asked, calling_revision())
    with place.beside() as beside:
        named = PACES[pace] if isinstance(pace, str) else pace
        return run(Call(place, beside, asked, operation, named, queries, workers))
