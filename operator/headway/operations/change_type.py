"""A column gets another type while old and new code run side by side: expand, deploy, contract."""

from typing import Any, Literal

from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine, to_instance

from headway.columns.copies import SUFFIX, TYPE
from headway.columns.wanted import Wanted
from headway.operations.column_change import Change
from headway.operations.columns_offline import write_contract, write_expand, write_undo
from headway.operations.columns_place import place_on_postgres
from headway.short_locks import SHORT, Patience
from headway.statements import PLAIN, as_sql
from headway.sync.names import bounded

Type = TypeEngine[Any] | type[TypeEngine[Any]]


def change_type_expand(
    table_name: str,
    column: str,
    type_: "Type",
    schema: "str | None" = None,
    using: "str | ClauseElement | None" = None,
    back: "str | ClauseElement | Literal[False] | None" = None,
    lossy: bool = False,
    server_default: "str | ClauseElement | None" = None,
    shadow: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Add a column of the new type beside this one and keep both equal, until the contract step puts it in its place.

    ``using`` converts forward and ``back`` backwards; in both the column's own name stands for the value, and
    nothing else of the row can be named: ``using="price::numeric"``, ``back="price::text"``. Without them
    PostgreSQL's assignment casts convert; where there is none, that is refused. ``back=False``: what is written
    to the new column does not reach the old one, so old code goes on with what it knew; write the new column
    only when no old code runs. ``shadow`` names the new column (default: the column's name and ``__new``).
    ``server_default`` is that of the new type, where the old one's cannot be converted.

    Before anything is changed all rows are looked at, unless the types tell that each value comes through
    (integer to bigint): values that do not convert, or that could not be had back (1.5 as an integer), are
    refused with the rows' keys; ``lossy=True`` allows the latter. What comes in later is kept too: an old value
    that does not convert leaves NULL in the new column, and the contract step names its row. A new value that
    the old type cannot hold leaves NULL in the old column; where that is NOT NULL, the writer has the error.

    Then as :func:`rename_column_expand`: triggers, backfill, copies of indexes and constraints (named with
    ``__new``), foreign keys that refer to the column included. NOT NULL, and the primary key, come with the
    contract step.

    Between the steps the application goes on with ``column``; only code that must write the new type writes the
    shadow. ``alembic check`` is clean while the model has the old type, with or without the shadow.

    A rerun goes on where it stopped. Locks and errors are those of :func:`rename_column_expand`; the look takes
    ``ACCESS SHARE``. PostgreSQL only. Undone by :func:`change_type_undo`.
    """
    place = place_on_postgres("change_type_expand")
    wanted = Wanted(
        TYPE,
        column,
        _shadow(column, shadow),
        _type(type_),
        None if using is None else as_sql(using),
        None if back is None or back is False else as_sql(back),
        back is False,
        lossy,
        None if server_default is None else as_sql(server_default),
    )
    change = Change(place, table_name, schema, wanted, patience)
    write_expand(change) if place.is_offline else change.expand()


def change_type_contract(
    table_name: str,
    column: str,
    type_: "Type",
    schema: "str | None" = None,
    shadow: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """Put the column of the new type in the place of the old one, and drop that.

    Refuses as :func:`rename_column_contract` does, and while a value does not convert (its rows are named by
    their keys) or, without ``lossy=True`` in the expand step, would lose something. Sets NOT NULL by a
    validated check. Then one transaction: triggers and old column go, the new one has its name, its primary
    key, constraints and indexes have theirs; a sequence that belongs to the column goes along, and grows to the
    new integer type. A view or policy that uses the column is refused: drop it before this step, in the same
    revision if you like, and create it again after.

    A rerun after it has committed notices that nothing is to do: by ``type_``, which must be the one of the
    expand step. Statements that old code has prepared may fail once (``cached plan must not change result
    type``).

    Locks and errors are those of :func:`rename_column_contract`; SET NOT NULL as
    :func:`headway.operations.not_null.set_not_null_online`. Downgrade: :func:`change_type_expand` with the old
    type, and ``using`` and ``back`` in each other's place, then this with the old type.
    """
    place = place_on_postgres("change_type_contract")
    wanted = Wanted(TYPE, column, _shadow(column, shadow), _type(type_))
    change = Change(place, table_name, schema, wanted, patience)
    write_contract(change) if place.is_offline else change.contract()


def change_type_undo(
    table_name: str,
    column: str,
    schema: "str | None" = None,
    shadow: "str | None" = None,
    patience: Patience = SHORT,
) -> None:
    """The downgrade of :func:`change_type_expand`: drop the shadow column with its triggers and copies.

    Refuses while a row has a value there that the column has not; notices where there is no shadow. A rerun
    goes on. Locks and errors are those of :func:`rename_column_contract`.
    """
    place = place_on_postgres("change_type_undo")
    change = Change(place, table_name, schema, Wanted(TYPE, column, _shadow(column, shadow)), patience)
    write_undo(change) if place.is_offline else change.undo()


def _shadow(column: str, given: "str | None") -> str:
    return given or bounded(column + SUFFIX)


def _type(type_: "Type") -> str:
    made: TypeEngine[Any] = to_instance(type_)
    return str(made.compile(dialect=PLAIN))
