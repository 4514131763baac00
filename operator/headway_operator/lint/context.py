"""What rules ask: the steps of a revision, what came before it in the same run, and which tables are harmless.

A table is harmless while nobody can be waiting for it: it was created here, or it is small by the catalog. Without a
catalog only what the same revision creates is new: each revision may be deployed on its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, TypeVar, overload

from headway_contract.facts import Argument, Call, DatabaseFacts, RevisionFacts, TableFacts
from headway_operator.lint import changes
from headway_operator.lint.columns_before import column_before
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.reading_calls import argument, text_of
from headway_operator.lint.statements import OPERATIONS, Step, Unread, call_at, operation_of, steps_and_unread
from headway_operator.lint.told_by_call import told_by_call
from headway_operator.lint.tree import qualified, table_of
from headway_operator.lint.types import type_in_python

SMALL_ROWS, SMALL_BYTES = 10_000, 10 * 1024 * 1024
"""Below both, any statement on a table is over before anybody notices."""

A = TypeVar("A", bound=changes.Change)
B = TypeVar("B", bound=changes.Change)
C_co = TypeVar("C_co", bound=changes.Change, covariant=True)
D = TypeVar("D", bound=changes.Change)


@dataclass(frozen=True)
class Of(Generic[C_co]):
    """A step whose change is known to be of one kind."""

    change: C_co
    step: Step


Place = Step | Of[changes.Change] | Unread | Call | None
"""Where a finding is; None: the revision as a whole."""


@dataclass(frozen=True)
class Revision:
    """One revision as the rules see it."""

    facts: RevisionFacts
    dialect: str
    transaction_per_revision: bool
    server_version: str
    tables: tuple[TableFacts, ...]
    tables_known: bool
    steps: tuple[Step, ...] = ()
    unread: tuple[Unread, ...] = ()
    earlier: tuple["Revision", ...] = field(default=(), repr=False)
    """Those that run before it in the same run, in order."""
    created: frozenset[str] = frozenset()
    """The tables that it creates."""
    created_earlier: frozenset[str] = frozenset()
    memo: dict[str, tuple[Any, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What was asked of it before, by ``asked_once``: later revisions ask again."""

    @property
    def is_postgresql(self) -> bool:
        """Its SQL is read; where the database is not known, it is taken for this one."""
        return self.dialect in ("", "postgresql")

    @property
    def meets_running_code(self) -> bool:
        """It is applied before the new code is everywhere; what is taken back always meets the code that runs."""
        return self.facts.is_downgrade or not self.facts.post_deploy

    @overload
    def of(self, one: type[A], /) -> Iterator[Of[A]]: ...
    @overload
    def of(self, one: type[A], two: type[B], /) -> Iterator[Of[A | B]]: ...
    @overload
    def of(self, one: type[A], two: type[B], three: type[D], /) -> Iterator[Of[A | B | D]]: ...
    @overload
    def of(self, *kinds: type[changes.Change]) -> Iterator[Of[changes.Change]]: ...
    def of(self, *kinds: type[changes.Change]) -> Iterator[Of[Any]]:
        """The steps of these kinds, in order."""
        return (Of(step.change, step) for step in self.steps if isinstance(step.change, kinds))

    def calls(self) -> Iterator[Call]:
        """The calls of what runs, in the order of the file."""
        return iter(self.facts.calls)

    def operations(self, *names: str) -> Iterator[Call]:
        """The calls of these operations of the library; without names, of any."""
        if "operations" not in self.memo:
            pairs = ((operation_of(call), call) for call in self.calls())
            self.memo["operations"] = tuple(pair for pair in pairs if pair[0])
        wanted = frozenset(names) or OPERATIONS
        return (call for name, call in self.memo["operations"] if name in wanted)

    def call_of(self, found: Of[changes.Change]) -> Call | None:
        """The call that leads to a statement."""
        return call_at(self.calls(), found.step.statement.line)

    def existing_type(self, found: Of[changes.AlterType]) -> changes.Type | None:
        """The type before, as the call of ``alter_column`` or an earlier revision says; None: not known."""
        given = type_in_python(self._told(found, "existing_type"))
        return given or column_before(self, found, found.change.column).type

    def was_not_null(self, found: Of[changes.SetNotNull]) -> bool:
        """The column has been NOT NULL, as its call or an earlier revision says: PostgreSQL then looks at no row."""
        given = self._told(found, "existing_nullable")
        if given is not None and given.is_literal:
            return given.text == "False"
        return column_before(self, found, found.change.column).not_null is True

    def has_default_by_call(self, found: Of[changes.DropColumn | changes.SetNotNull]) -> bool:
        """The call of ``alter_column`` says that the server gives the column a value."""
        given = self._told(found, "existing_server_default")
        return given is not None and given.text not in ("None", "False")

    def _told(
        self, found: Of[changes.AlterType | changes.DropColumn | changes.SetNotNull], name: str
    ) -> Argument | None:
        """This argument of the call that alters the column."""
        change, line = found.change, found.step.statement.line
        return told_by_call(self.calls(), line, change.table, change.column, name)

    def table_of_index(self, found: Of[changes.DropIndex]) -> str:
        """The table that Alembic's call names beside the index, empty when none does."""
        call = self.call_of(found)
        if call is None:
            return ""
        schema = text_of(next((one for one in call.arguments if one.name == "schema"), None))
        return qualified(schema, text_of(argument(call, 1, "table_name")))

    def has_view(self, name: str) -> bool:
        """It makes a view of this name."""
        views = (found.change for found in self.of(changes.Other) if found.change.kind == "ViewStmt")
        return any(table_of(view.tree.get("view")) == name for view in views)

    def is_new(self, table: str) -> bool:
        """It was created in this run, and the catalog does not know better."""
        created = self.created | self.created_earlier if self.tables_known else self.created
        return table in created and self.size_of(table) is None

    def is_small(self, table: str) -> bool:
        """The catalog says so."""
        size = self.size_of(table)
        if size is None or size.rows is None or size.bytes is None:
            return False
        return size.rows < SMALL_ROWS and size.bytes < SMALL_BYTES

    def is_harmless(self, table: str) -> bool:
        """Whatever is done to it is over before anybody notices."""
        return self.is_new(table) or self.is_small(table)

    def size_of(self, table: str) -> TableFacts | None:
        """What the catalog knows of it; a name without a schema may be in any one."""
        exact = [one for one in self.tables if qualified(one.schema, one.name) == table]
        loose = [one for one in self.tables if one.name == table]
        found = exact or loose
        return found[0] if len(found) == 1 else None

    def size_text(self, table: str) -> str:
        """`` (4.2M rows)``, or nothing when it is not known."""
        size = self.size_of(table)
        return "" if size is None or size.rows is None else f" ({_amount(size.rows)} rows)"

    def finding(
        self,
        place: Place,
        what: str,
        why: str,
        safe: str,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """A finding at this place. The severity is the rule's, unless the rule says a milder one."""
        step = place.step if isinstance(place, Of) else place
        if isinstance(step, Step):
            line, end, table = step.statement.line, step.end_line, step.change.table
        elif step is None:
            line, end, table = 0, 0, ""
        elif isinstance(step, Unread):
            line, end, table = step.statement.line, step.end_line, ""
        else:
            line, end, table = step.line, step.end_line, ""
        return Finding(
            what, why, safe, "", severity, self.facts.revision, self.facts.file, line, max(line, end), table
        )


T = TypeVar("T")


def asked_once(question: Callable[[Revision], Iterator[T]]) -> Callable[[Revision], tuple[T, ...]]:
    """The same question, whose answer is kept with the revision."""

    @wraps(question)
    def asked(revision: Revision) -> tuple[T, ...]:
        name = question.__name__
        if name not in revision.memo:
            revision.memo[name] = tuple(question(revision))
        return revision.memo[name]

    return asked


def revisions_of(facts: DatabaseFacts) -> tuple[Revision, ...]:
    """All revisions of the run, each with those before it."""
    is_postgresql = facts.dialect in ("", "postgresql")
    seen: list[Revision] = []
    created: frozenset[str] = frozenset()
    for one in facts.revisions:
        steps, unread = steps_and_unread(one) if is_postgresql else ((), ())
        new = _created(steps)
        seen.append(
            Revision(
                one,
                facts.dialect,
                facts.transaction_per_revision,
                facts.server_version,
                facts.tables,
                facts.tables_known,
                steps,
                unread,
                tuple(seen),
                new,
                created,
            )
        )
        created |= new
    return tuple(seen)


def _created(steps: tuple[Step, ...]) -> frozenset[str]:
    """With the names that new tables get afterwards."""
    names: set[str] = set()
    for step in steps:
        match step.change:
            case changes.CreateTable(table=table):
                names.add(table)
            case changes.RenameTable(table=table, to=to) if table in names:
                names.add(".".join([*table.split(".")[:-1], to]))
    return frozenset(names)


def _amount(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)
