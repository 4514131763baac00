"""The statements of checks and foreign keys, as Alembic and SQLAlchemy write them for PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import CreateCheckConstraintOp, CreateForeignKeyOp
from alembic.runtime.migration import MigrationContext
from sqlalchemy.schema import AddConstraint, Constraint
from sqlalchemy.sql import ClauseElement

from headway.statements import PLAIN, as_sql, clause, cut, quoted


@dataclass(frozen=True)
class CheckWanted:
    """A check as the revision describes it."""

    context: MigrationContext
    given_name: "str | None"
    table: str
    condition: "str | ClauseElement"

    @property
    def name(self) -> str:
        """The given one after the naming conventions; raises :class:`ValueError` when there is none."""
        return _final_name(self._constraint(self.table, None), self.table)

    @property
    def condition_text(self) -> str:
        """As SQL."""
        return as_sql(self.condition)

    def statement(self, table: str, schema: "str | None") -> str:
        """``ADD CONSTRAINT … NOT VALID`` on a table."""
        return f"{_written(self._constraint(table, schema), self.name)} NOT VALID"

    def _constraint(self, table: str, schema: "str | None") -> Constraint:
        condition: Any = clause(self.condition)
        operation = CreateCheckConstraintOp(self.given_name, table, condition, schema=schema)
        return operation.to_constraint(self.context)


@dataclass(frozen=True)
class ForeignKeyWanted:
    """A foreign key as the revision describes it."""

    context: MigrationContext
    given_name: "str | None"
    source: str
    referent: str
    local_cols: "Sequence[str]"
    remote_cols: "Sequence[str]"
    options: "Mapping[str, Any]"
    """``ondelete``, ``onupdate``, ``deferrable``, ``initially``, ``match``."""

    @property
    def name(self) -> str:
        """The given one, or that of the naming conventions; raises :class:`ValueError` when there is none."""
        return _final_name(self._constraint(self.source, None, self.referent, None), self.source)

    def statement(
        self,
        source: str,
        schema: "str | None",
        referent: str,
        referent_schema: "str | None",
        *,
        not_valid: bool = True,
    ) -> str:
        """``ADD CONSTRAINT … FOREIGN KEY`` on a table."""
        text = _written(self._constraint(source, schema, referent, referent_schema), self.name)
        return f"{text} NOT VALID" if not_valid else text

    def _constraint(
        self, source: str, schema: "str | None", referent: str, referent_schema: "str | None"
    ) -> Constraint:
        return CreateForeignKeyOp(
            self.given_name,
            source,
            referent,
            list(self.local_cols),
            list(self.remote_cols),
            source_schema=schema,
            referent_schema=referent_schema,
            **self.options,
        ).to_constraint(self.context)


def name_to_drop(
    operations: Operations, name: str, table: str, schema: "str | None", kind: "str | None"
) -> str:
    """The name that the naming conventions make of a given one; ``kind`` as ``op.drop_constraint`` takes it."""
    return _final_name(operations.schema_obj.generic_constraint(name, table, kind, schema=schema), table)


def _final_name(constraint: Constraint, table: str) -> str:
    if constraint.name is None:
        raise ValueError(
            f"The constraint of {table} has no name, by which a rerun would know it. Give it one, or a naming "
            "convention to the MetaData."
        )
    # SQLAlchemy counts characters, PostgreSQL bytes.
    return cut(str(PLAIN.identifier_preparer.format_constraint(constraint, _alembic_quote=False)))


def _written(constraint: Constraint, name: str) -> str:
    """Under the name that the revision's own table gives it, on a copy too."""
    text = str(AddConstraint(constraint).compile(dialect=PLAIN)).strip()
    given = PLAIN.identifier_preparer.format_constraint(constraint)
    return text.replace(f" ADD CONSTRAINT {given} ", f" ADD CONSTRAINT {quoted(PLAIN, name)} ", 1)
