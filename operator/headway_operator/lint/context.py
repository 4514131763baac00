"""What rules ask: the steps of a revision, what came before it in the same run, and which tables are harmless.

A table is harmless while nobody can be waiting for it: it is new by then, or it is small by the catalog. Without a
catalog only what the same revision creates is new: each revision may be deployed on its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, Generic, TypeVar, overload

from headway_contract.facts import Argument, Call, DatabaseFacts, RevisionFacts, TableFacts
from headway_operator.lint import changes
from headway_operator.lint.columns_before import column_before
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.new_tables import Made, made_along
from headway_operator.lint.reading_calls import argument, text_of
from headway_operator.lint.statements import OPERATIONS, Step, Unread, call_at, operation_of, steps_and_unread
from headway_operator.lint.told_by_call import alterations, told_by_call
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
    made: tuple[Made, ...] = (Made(),)
    """Which tables have been created before each of its steps, and after the last one."""
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
        if "alterations" not in self.memo:
            self.memo["alterations"] = tuple(alterations(self.calls()))
        change, line = found.change, found.step.statement.line
        is_led_to = self.call_of(found) is not None
        return told_by_call(self.memo["alterations"], is_led_to, line, change.table, change.column, name)

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

    def is_new(self, table: str, at: Place) -> bool:
        """It was created in this run before this place, and the catalog does not know better."""
        made = self.made[self._steps_before(at)]
        return table in made.new and (table in made.gone or self.size_of(table) is None)

    def is_absent(self, table: str) -> bool:
        """The catalog says that there is no such table before the run."""
        return self.tables_known and not self._known(table)

    def is_small(self, table: str) -> bool:
        """The catalog says so, of each table that it may be."""
        may_be = self._known(table)
        return bool(may_be) and all(_is_small(one) for one in may_be)

    def is_harmless(self, table: str, at: Place) -> bool:
        """Whatever is done to it at this place is over before anybody notices."""
        return self.is_new(table, at) or self.is_small(table)

    def size_of(self, table: str) -> TableFacts | None:
        """What the catalog knows of it, if that is sure."""
        found = self._known(table)
        return found[0] if len(found) == 1 else None

    def _known(self, table: str) -> list[TableFacts]:
        """Those of the catalog that it may be: a name without a schema in any one, unless the run makes the table."""
        known = _known(self.tables, table)
        is_elsewhere = all(qualified(one.schema, one.name) != table for one in known)
        return [] if is_elsewhere and table in self._own else known

    @property
    def _own(self) -> frozenset[str]:
        """The tables that the run makes, but for those that it has made anew."""
        if "own" not in self.memo:
            made = {id(one): one for one in self.made}.values()
            new = frozenset().union(*(one.new for one in made))
            self.memo["own"] = (new.difference(*(one.gone for one in made)),)
        found: frozenset[str] = self.memo["own"][0]
        return found

    def size_text(self, table: str) -> str:
        """`` (4.2M rows)``, or nothing when it is not known."""
        size = self.size_of(table)
        return "" if size is None or size.rows is None else f" ({_amount(size.rows)} rows)"

    def _steps_before(self, at: Place) -> int:
        """How many of its steps have run by then: by their order, and that of the calls."""
        step = at.step if isinstance(at, Of) else at
        if isinstance(step, Step):
            return self._places[id(step)]
        if not isinstance(step, Call):
            return len(self.steps)
        orders, own = self._orders
        place = own.get(id(step), len(own))
        return max((number for number, order in enumerate(orders, 1) if order <= place), default=0)

    @property
    def _places(self) -> dict[int, int]:
        """Of its steps: two of them may be equal."""
        if "places" not in self.memo:
            self.memo["places"] = ({id(step): number for number, step in enumerate(self.steps)},)
        found: dict[int, int] = self.memo["places"][0]
        return found

    @property
    def _orders(self) -> tuple[tuple[int, ...], dict[int, int]]:
        """Of each step the place of its call among the calls (-1: not known), and the place of each call."""
        if "orders" not in self.memo:
            own = {id(call): number for number, call in enumerate(self.facts.calls)}
            leading = (call_at(self.calls(), step.statement.line) for step in self.steps)
            self.memo["orders"] = (tuple(-1 if call is None else own[id(call)] for call in leading), own)
        orders, places = self.memo["orders"]
        return orders, places

    def runs_before(self, call: Call, found: Of[changes.Change]) -> bool:
        """This call of the revision comes before the statement."""
        return self._steps_before(call) <= self._steps_before(found)

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
    made = Made()
    for one in facts.revisions:
        steps, unread = steps_and_unread(one) if is_postgresql else ((), ())
        start = made if facts.tables_known else Made()
        along = tuple(made_along((step.change for step in steps), start, partial(_is_absent, facts)))
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
                along,
            )
        )
        made = along[-1]
    return tuple(seen)


def _is_absent(facts: DatabaseFacts, table: str) -> bool:
    """The catalog is known, and has no such table; a name without a schema may be in any one."""
    return facts.tables_known and not _known(facts.tables, table)


def _known(tables: tuple[TableFacts, ...], table: str) -> list[TableFacts]:
    exact = [one for one in tables if qualified(one.schema, one.name) == table]
    return exact or [one for one in tables if one.name == table]


def _is_small(table: TableFacts) -> bool:
    if table.rows is None or table.bytes is None:
        return False
    return table.rows < SMALL_ROWS and table.bytes < SMALL_BYTES


def _amount(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)
