"""A foreign key from one type to another (35)."""

from collections.abc import Iterator

from headway_operator.lint.changes import AddColumn, AddConstraint, Constraint, CreateTable, Type
from headway_operator.lint.columns_before import column_of_table_before, defined_type
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.findings import Finding

INTEGERS = ("int2", "int4", "int8")
TEXTS = ("text", "varchar", "bpchar")
OTHERS = ("numeric", "float8", "uuid", "bool", "date", "timestamp", "timestamptz", "bytea")
KNOWN = frozenset((*INTEGERS, *TEXTS, *OTHERS))
"""Of other names it is not known what stands behind them: a domain may be of the very type it refers to."""

Defining = Of[AddColumn | AddConstraint | CreateTable]


def foreign_key_joins_different_types(revision: Revision) -> Iterator[Finding]:
    """A column refers to one of another type.

    An integer that refers to a bigint takes no row any more once the keys are beyond two thousand million. Types of
    different kinds cannot be compared by the index, or not at all: then PostgreSQL refuses the constraint. Nothing
    is said unless the history tells both types for certain.

    Anti-pattern::

        op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.add_column("orders", sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id")))

    Best practice::

        op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.add_column("orders", sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id")))
    """
    for found in revision.of(AddColumn, AddConstraint, CreateTable):
        for constraint in _foreign_keys(found):
            wrong = next(iter(_unlike(revision, found, constraint)), None)
            if wrong is not None:
                column, own, other_column, other = wrong
                table, referred = found.change.table, constraint.references
                yield revision.finding(
                    found,
                    f"{table}.{column} is {own.name}; it refers to {referred}.{other_column}, {other.name}.",
                    f"What {referred} can hold {table} cannot, or PostgreSQL refuses to compare them.",
                    f"Make {column} of the type of what it refers to.",
                )
                break


def _foreign_keys(found: Defining) -> Iterator[Constraint]:
    match found.change:
        case AddConstraint(constraint=one):
            constraints: tuple[Constraint, ...] = (one,)
        case AddColumn(column=column):
            constraints = column.constraints
        case CreateTable(columns=columns, constraints=own):
            constraints = (*own, *(one for column in columns for one in column.constraints))
    return (one for one in constraints if one.kind == "foreign key")


def _unlike(
    revision: Revision, found: Defining, constraint: Constraint
) -> Iterator[tuple[str, Type, str, Type]]:
    """Pairs of columns whose types are known and do not go together."""
    for column, other_column in zip(constraint.columns, constraint.referred_columns, strict=False):
        own = _type_of(revision, found, found.change.table, column)
        other = _type_of(revision, found, constraint.references, other_column)
        if own is not None and other is not None and not _goes_with(own, other):
            yield column, own, other_column, other


def _type_of(revision: Revision, found: Defining, table: str, column: str) -> Type | None:
    """After the statement: what it defines itself counts."""
    change = found.change
    if table == change.table:
        columns = (change.column,) if isinstance(change, AddColumn) else getattr(change, "columns", ())
        known = next((one for one in columns if one.name == column), None)
        if known is not None:
            return defined_type(known)
    return column_of_table_before(revision, found, table, column).type


def _goes_with(own: Type, other: Type) -> bool:
    if own.is_array or other.is_array or not {own.name, other.name} <= KNOWN:
        return True
    if own.name in INTEGERS and other.name in INTEGERS:
        return INTEGERS.index(own.name) >= INTEGERS.index(other.name)
    return own.name == other.name or (own.name in TEXTS and other.name in TEXTS)
