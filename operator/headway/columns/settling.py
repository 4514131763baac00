"""What is found out before a change and said after it: the full name of a type, rows that would not come through."""

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.columns.contracting import refuse_findings
from headway.columns.conversions import is_lossless
from headway.columns.expanding import OWN_PATH, Expanded, column_of, set_path
from headway.columns.judge import BEFORE
from headway.columns.look import differing
from headway.columns.partitions import MADE_BY
from headway.columns.wanted import CannotChange, Wanted, pair_of
from headway.statements import execute, rows, sqlstate
from headway.sync.column import Table
from headway.sync.names import identifier, qualified

PATH = "SELECT coalesce(string_agg(quote_ident(s), ', '), '') FROM unnest(current_schemas(false)) s"
TYPE_OF = """
    SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = 'pg_temp.headway_type'::pg_catalog.regclass AND a.attnum = 1
"""


def user_path(connection: Connection) -> str:
    """The schemas of the session's search path that there are, quoted."""
    ((path,),) = rows(connection, PATH)
    return str(path)


def canonical(connection: Connection, type_: str) -> str:
    """The type as ``format_type`` writes it, every name qualified; in a transaction, by the session's search path.

    A temporary table tells: it is the only thing that takes a type with its modifiers as DDL does.
    """
    with connection.begin_nested() as savepoint:
        execute(connection, f"CREATE TEMPORARY TABLE headway_type (value {type_})")
        set_path(connection, OWN_PATH)
        ((found,),) = rows(connection, TYPE_OF)
        savepoint.rollback()
    return str(found)


def probe(connection: Connection, table: Table, wanted: Wanted, path: str) -> None:
    """Whether PostgreSQL assigns the values in both directions; raises :class:`CannotChange`. In a transaction.

    Asked of an empty temporary table of the two columns alone: EXPLAIN runs nothing, and no other column is known.
    """
    set_path(connection, OWN_PATH)
    type_ = column_of(connection, table, wanted.old).type
    old, new = identifier(wanted.old), identifier(wanted.new)
    with connection.begin_nested() as savepoint:
        execute(connection, f"CREATE TEMPORARY TABLE headway_probe ({old} {type_}, {new} {wanted.type})")
        set_path(connection, ", ".join(one for one in (OWN_PATH, path) if one))
        _explain(connection, f"SET {new} = {wanted.using or old}", wanted, "using")
        if not wanted.is_one_way:
            source = f"(SELECT {new} AS {old} FROM pg_temp.headway_probe) AS value"
            _explain(
                connection, f"SET {old} = (SELECT {wanted.back or old} FROM {source} LIMIT 1)", wanted, "back"
            )
        savepoint.rollback()


def _explain(connection: Connection, clause: str, wanted: Wanted, name: str) -> None:
    try:
        execute(connection, f"EXPLAIN UPDATE pg_temp.headway_probe {clause}")
    except DBAPIError as error:
        if not sqlstate(error).startswith(("22", "42")):
            raise
        said = str(getattr(error, "orig", error)).splitlines()[0]
        ways = ", or back=False if what new code writes need not reach it" if name == "back" else ""
        raise CannotChange(
            f"PostgreSQL does not convert {wanted.old} {'to' if name == 'using' else 'back from'} {wanted.type} so: "
            f'{said}. Give {name}="…", in which {wanted.old} stands for the value and no other column can be '
            f"named{ways}. Nothing was changed."
        ) from error


def look_before(connection: Connection, table: Table, wanted: Wanted, path: str) -> None:
    """Look at all rows whether they come through; raises :class:`CannotChange`. In a transaction.

    Nothing is read where types alone tell that each value does.
    """
    set_path(connection, OWN_PATH)
    old = column_of(connection, table, wanted.old)
    assert wanted.type is not None
    pair = pair_of(table, wanted.mark(table.schema, table.name, path), old, wanted.type, None)
    if pair.is_lossless:
        return
    refuse_findings(table, pair, wanted.is_lossy, differing(connection, table, pair, BEFORE))


def analyze(connection: Connection, table: Table) -> None:
    """So that the planner knows the new column and its indexes; SHARE UPDATE EXCLUSIVE on the table."""
    execute(connection, "SET LOCAL statement_timeout = 0")
    execute(connection, f"ANALYZE {qualified(table.schema, table.name)}")


def told_of(expanded: Expanded) -> tuple[str, ...]:
    """What a person should know now that the columns are equal."""
    table, old, belongings = expanded.table, expanded.old, expanded.belongings
    name = f"{table.schema}.{table.name}.{old.name}"
    found = []
    if belongings.stops:
        found.append(
            f"Before the contract step of {name}, drop what PostgreSQL would keep the column for: "
            f"{', '.join(belongings.stops)}."
        )
    if belongings.goes:
        found.append(f"Not copied, and gone with {name} in the contract step: {', '.join(belongings.goes)}.")
    invalid = [one.name for one in belongings.indexes if not one.is_valid]
    if invalid:
        found.append(f"Not copied, because they are INVALID: {', '.join(invalid)}.")
    if expanded.uncopied:
        found.append(
            f"Not copied, because single partitions have them: {expanded.uncopied}. Before the contract step of "
            f"{name}, make the same on {expanded.pair.new.name} of that partition: {MADE_BY}."
        )
    if expanded.mark.default is not None or old.identity:
        what = "identity" if old.identity else "default"
        found.append(
            f"The {what} of {name} gives each column another value, so {expanded.pair.new.name} has none until the "
            "contract step: new code that gives no value has that of the old column."
        )
    if is_in_place(old.type, expanded.pair.new.type) and expanded.mark.using is None:
        found.append(
            f"PostgreSQL changes {old.type} into {expanded.pair.new.type} without rewriting the table: "
            "op.alter_column() would have held it for a moment only."
        )
    return tuple(found)


def is_in_place(old: str, new: str) -> bool:
    """Whether ALTER COLUMN TYPE reads no row: the same bytes mean the same."""
    is_text = old.startswith("character varying") or old == "text"
    return old != new and is_lossless(old, new) and (is_text or old.startswith("numeric("))
