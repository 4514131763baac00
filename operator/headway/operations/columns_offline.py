"""The scripts (``--sql``) of a column's new name or type: what can be said without the catalog, and what cannot."""

from headway.columns.swap import trigger_removal
from headway.columns.wanted import Wanted
from headway.operations.column_change import Change
from headway.operations.filling import fill_by_script
from headway.operations.script import write_steps
from headway.sync.names import dollar_quoted, identifier, literal, qualified
from headway.sync.pair import Conversion, Mark, Pair, Side
from headway.sync.triggers import creation

SAME_TYPE = """BEGIN
    EXECUTE (SELECT pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s', attrelid::pg_catalog.regclass, {new},
                                      pg_catalog.format_type(atttypid, atttypmod))
             FROM pg_catalog.pg_attribute WHERE attrelid = {table}::pg_catalog.regclass AND attname = {old});
END"""


def write_expand(change: Change) -> None:
    """Column and triggers in one transaction, then the rows in pieces."""
    mark, pair = described(change)
    wanted, relation = change.wanted, pair.relation
    write_steps(
        change.place,
        (
            "-- Online, the default, NOT NULL, indexes, constraints and foreign keys of the column are copied",
            "-- without holding anybody up, and rows that do not convert are refused by their keys. Here: the column",
            "-- and the triggers, and then the rows in pieces; copy the rest with statements of your own.",
        ),
        (_column(wanted, relation), *creation(pair, mark)),
    )
    fill_by_script(change.table_name, change.schema, mark)


def write_contract(change: Change) -> None:
    """Triggers and old column go; a new type gets the old name."""
    mark, pair = described(change)
    old, new = identifier(mark.old), identifier(mark.new)
    rename = [] if change.wanted.is_rename else [f"ALTER TABLE {pair.relation} RENAME COLUMN {new} TO {old}"]
    write_steps(
        change.place,
        (
            "-- Online, this is refused while a row differs, or while something would go with the column that has no",
            "-- copy, and primary key, foreign keys that refer to it, default and sequence change over.",
            "-- Here: look at both before. This must find no row:",
            f"-- SELECT * FROM {pair.relation} WHERE {old} IS NOT NULL AND {new} IS NULL;",
        ),
        (
            *trigger_removal(pair.schema, pair.table, pair.triggers),
            f"ALTER TABLE {pair.relation} DROP COLUMN {old}",
            *rename,
            f"DROP FUNCTION {qualified(pair.schema, pair.function)}()",
        ),
    )


def write_undo(change: Change) -> None:
    """Triggers and new column go."""
    _, pair = described(change)
    write_steps(
        change.place,
        ("-- Online, this is refused while the new column has a value that the old one has not.",),
        (
            *trigger_removal(pair.schema, pair.table, pair.triggers),
            f"ALTER TABLE {pair.relation} DROP COLUMN {identifier(pair.new.name)}",
            f"DROP FUNCTION {qualified(pair.schema, pair.function)}()",
        ),
    )


def described(change: Change) -> tuple[Mark, Pair]:
    """The pair, as far as the revision tells it: types are those of the columns when the function first runs."""
    wanted, schema = change.wanted, change.place.schema(change.schema) or ""
    mark = wanted.mark(schema, change.table_name, "")
    relation = qualified(schema, change.table_name)
    old, new = (f"{relation}.{identifier(name)}%TYPE" for name in (wanted.old, wanted.new))
    is_total = wanted.is_rename
    return mark, Pair(
        schema,
        change.table_name,
        mark.operation,
        Side(wanted.old, new if is_total else old),
        Side(wanted.new, new),
        Conversion(wanted.using, wanted.old, is_total),
        None if wanted.is_one_way else Conversion(wanted.back, wanted.old, is_total),
        path=None,
    )


def _column(wanted: Wanted, relation: str) -> str:
    if wanted.type is not None:
        return f"ALTER TABLE {relation} ADD COLUMN {identifier(wanted.new)} {wanted.type}"
    body = SAME_TYPE.format(new=literal(wanted.new), table=literal(relation), old=literal(wanted.old))
    return f"DO {dollar_quoted(body)}"
