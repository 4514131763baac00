"""The statements of an index, as Alembic and SQLAlchemy write them for PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations.ops import CreateIndexOp
from alembic.runtime.migration import MigrationContext
from sqlalchemy.schema import Column, CreateIndex, Index
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import NULLTYPE

from headway.statements import PLAIN, cut, quoted

Columns = Sequence["str | ClauseElement"]


@dataclass(frozen=True)
class Wanted:
    """An index as the revision describes it."""

    context: MigrationContext
    given_name: "str | None"
    table: str
    columns: Columns
    unique: bool
    options: "Mapping[str, Any]"
    """As ``op.create_index`` takes them: ``postgresql_where``, ``postgresql_using`` and so on."""

    @property
    def name(self) -> str:
        """The given one, or that of the naming conventions; raises :class:`ValueError` when there is neither."""
        index = self._index(self.given_name, self.table, None)
        if index.name is None:
            raise ValueError(
                f"The index of {self.table} has no name. Give it one, or a naming convention to the MetaData."
            )
        # SQLAlchemy counts characters, PostgreSQL bytes.
        return cut(str(PLAIN.identifier_preparer.format_constraint(index, _alembic_quote=False)))

    def statement(
        self, name: str, table: str, schema: "str | None", *, concurrently: bool = False, only: bool = False
    ) -> str:
        """``CREATE INDEX`` of this definition on a table; ``only``: not on its partitions."""
        index = self._index(
            name, table, schema, **({"postgresql_concurrently": True} if concurrently else {})
        )
        text = str(CreateIndex(index).compile(dialect=PLAIN)).strip()
        on = f" ON {quoted(PLAIN, schema, table)} "
        return text.replace(on, f" ON ONLY {on[4:]}", 1) if only else text

    def _index(self, name: "str | None", table: str, schema: "str | None", **more: Any) -> Index:
        columns: Any = list(self.columns)
        operation = CreateIndexOp(
            name, table, columns, schema=schema, unique=self.unique, **self.options, **more
        )
        index = operation.to_index(self.context)
        for included in self.options.get("postgresql_include") or ():
            # SQLAlchemy looks them up in the table.
            if index.table is not None and isinstance(included, str) and included not in index.table.c:
                index.table.append_column(Column(included, NULLTYPE))
        return index
