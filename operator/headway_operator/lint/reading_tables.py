"""The forms of ALTER TABLE, and columns and constraints as they are defined, as changes."""

from collections.abc import Callable, Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Change, Column, Constraint, Type
from headway_operator.lint.parser import Tree
from headway_operator.lint.tree import constant_of, opened, table_of, words

KINDS = {
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclude",
    "CONSTR_NOTNULL": "not null",
}
"""PostgreSQL's names of those constraints that have a kind here."""


def alter_table(body: Tree) -> Iterator[Change]:
    """Each command of one ALTER TABLE."""
    table = table_of(body.get("relation"))
    for one in body.get("cmds", ()):
        command = one.get("AlterTableCmd", {})
        form = str(command.get("subtype", ""))
        is_of_table = body.get("objtype") == "OBJECT_TABLE"
        reader = FORMS.get(form) if is_of_table else None
        yield changes.AlterOther(table, form, _name(command)) if reader is None else reader(table, command)


def column_or_constraint(element: Tree) -> Column | Constraint | None:
    """An element of CREATE TABLE; None for LIKE and its like."""
    kind, body = opened(element)
    if kind == "ColumnDef":
        return column_of(body)
    return constraint_of(body) if kind == "Constraint" and body.get("contype") in KINDS else None


def column_of(body: Tree) -> Column:
    """A ColumnDef."""
    parts = [one.get("Constraint", {}) for one in body.get("constraints", ())]
    by_kind = {str(part.get("contype")): part for part in parts}
    generated = by_kind.get("CONSTR_GENERATED")
    return Column(
        str(body.get("colname", "")),
        type_of(body.get("typeName", {})),
        "CONSTR_NOTNULL" in by_kind,
        by_kind.get("CONSTR_DEFAULT", {}).get("raw_expr"),
        "" if generated is None else ("virtual" if generated.get("generated_kind") == "v" else "stored"),
        "CONSTR_IDENTITY" in by_kind,
        tuple(
            constraint_of(part, str(body.get("colname", "")))
            for part in parts
            if part.get("contype") in KINDS and part.get("contype") != "CONSTR_NOTNULL"
        ),
    )


def type_of(body: Tree) -> Type:
    """A TypeName."""
    names = words(body.get("names", ()))
    numbers = (constant_of(one) for one in body.get("typmods", ()))
    return Type(
        names[-1] if names else "",
        tuple(int(number) for number in numbers if number is not None and number.lstrip("-").isdigit()),
        bool(body.get("arrayBounds")),
    )


def constraint_of(body: Tree, column: str = "") -> Constraint:
    """A Constraint, of a table or behind a column."""
    columns = words(body.get("keys", ())) or words(body.get("fk_attrs", ()))
    return Constraint(
        KINDS[str(body["contype"])],
        str(body.get("conname", "")),
        columns or ((column,) if column else ()),
        bool(body.get("skip_validation")),
        str(body.get("indexname", "")),
        table_of(body.get("pktable")),
        body.get("raw_expr"),
        words(body.get("pk_attrs", ())),
    )


def _add_column(table: str, command: Tree) -> Change:
    column = column_of(command.get("def", {}).get("ColumnDef", {}))
    return changes.AddColumn(table, column, bool(command.get("missing_ok")))


def _drop_column(table: str, command: Tree) -> Change:
    return changes.DropColumn(table, _name(command), command.get("behavior") == "DROP_CASCADE")


def _alter_type(table: str, command: Tree) -> Change:
    body = command.get("def", {}).get("ColumnDef", {})
    column, kind, using = _name(command), type_of(body.get("typeName", {})), body.get("raw_default")
    is_implied = using is not None and _is_cast_of(using, column, kind)
    return changes.AlterType(table, column, kind, None if is_implied else using)


def _is_cast_of(expression: Tree, column: str, kind: Type) -> bool:
    """It is the column, as the type that it gets: what PostgreSQL does without being told."""
    cast = expression.get("TypeCast")
    if cast is not None and type_of(cast.get("typeName", {})) != kind:
        return False
    inner = expression if cast is None else cast.get("arg", {})
    return words(inner.get("ColumnRef", {}).get("fields", ()))[-1:] == (column,)


def _set_default(table: str, command: Tree) -> Change:
    return changes.SetDefault(table, _name(command), command.get("def"))


def _add_constraint(table: str, command: Tree) -> Change:
    body = command.get("def", {}).get("Constraint", {})
    if body.get("contype") not in KINDS:
        return changes.AlterOther(table, "AT_AddConstraint")
    constraint = constraint_of(body)
    if constraint.kind == "not null" and not constraint.not_valid:
        return changes.SetNotNull(table, "".join(constraint.columns), constraint.name)
    return changes.AddConstraint(table, constraint)


def _drop_constraint(table: str, command: Tree) -> Change:
    return changes.DropConstraint(table, _name(command), command.get("behavior") == "DROP_CASCADE")


def _attach(table: str, command: Tree) -> Change:
    return changes.AttachPartition(table, _partition(command))


def _detach(table: str, command: Tree) -> Change:
    concurrently = bool(command.get("def", {}).get("PartitionCmd", {}).get("concurrent"))
    return changes.DetachPartition(table, _partition(command), concurrently=concurrently)


def _partition(command: Tree) -> str:
    return table_of(command.get("def", {}).get("PartitionCmd", {}).get("name"))


def _name(command: Tree) -> str:
    return str(command.get("name", ""))


FORMS: dict[str, Callable[[str, Tree], Change]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _alter_type,
    "AT_ColumnDefault": _set_default,
    "AT_SetNotNull": lambda table, command: changes.SetNotNull(table, _name(command)),
    "AT_DropNotNull": lambda table, command: changes.DropNotNull(table, _name(command)),
    "AT_AddIdentity": lambda table, command: changes.AddIdentity(table, _name(command)),
    "AT_AddConstraint": _add_constraint,
    "AT_ValidateConstraint": lambda table, command: changes.ValidateConstraint(table, _name(command)),
    "AT_DropConstraint": _drop_constraint,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
}
"""What is read of each form; any other is ``changes.AlterOther``."""
