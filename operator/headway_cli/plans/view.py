"""A plan as a reader needs it: each statement with the locks that it takes, each table with its size. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headway_cli.plans.result import why_it_failed
from headway_contract.facts import DatabaseFacts, RevisionFacts, Statement, TableFacts
from headway_contract.result import DatabasePlan, PendingRevision, Plan
from headway_operator.lint import changes
from headway_operator.lint.changes import Change
from headway_operator.lint.findings import Finding
from headway_operator.lint.locks import locks_of
from headway_operator.lint.parser import Unreadable, trees
from headway_operator.lint.reading import read
from headway_operator.lint.statements import call_at, operation_of
from headway_operator.lint.tree import qualified

Findings = Callable[[DatabaseFacts], Sequence[Finding]]


@dataclass(frozen=True)
class TableLock:
    """A lock on a table that exists before the plan is carried out."""

    mode: str
    """As PostgreSQL names it."""
    stops: str = ""
    """What of an application waits meanwhile; empty: nothing."""
    table: str = ""
    index: str = ""
    """Where only the index is known, whose table is locked."""
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class ShownStatement:
    """One statement; of an operation of Headway's own only the name of that is true of a run."""

    sql: str
    line: int = 0
    operation: str = ""
    autocommit: bool = False
    lost_parameters: bool = False
    is_cut: bool = False
    locks: tuple[TableLock, ...] = ()


@dataclass(frozen=True)
class ShownFinding:
    """What the review found at one place."""

    rule: str
    severity: str
    line: int
    what: str
    why: str
    safe: str


@dataclass(frozen=True)
class ShownRevision:
    """One revision, in the order in which it would run."""

    revision: str
    title: str = ""
    file: str = ""
    post_deploy: bool = False
    is_foreign: bool = False
    merges: tuple[str, ...] = ()
    has_downgrade: bool = True
    statements: tuple[ShownStatement, ...] = ()
    not_shown: str = ""
    """Why the statements after the last one are not known; empty: all are there."""
    findings: tuple[ShownFinding, ...] = ()
    warnings: tuple[str, ...] = ()
    """As a status keeps them, where the findings themselves are gone."""


@dataclass(frozen=True)
class ShownDatabase:
    """One database."""

    name: str
    digest: str = ""
    dialect: str = ""
    server_version: str = ""
    current: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    downgrade: bool = False
    ahead: bool = False
    was_looked_at: bool = True
    """Not, when the plan starts from a revision that somebody named."""
    sizes_known: bool = False
    pending_count: int = 0
    revisions: tuple[ShownRevision, ...] = ()
    notices: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class ShownPlan:
    """The plan of all databases."""

    name: str
    digest: str = ""
    """What an approval names: the plan, and the release that it is of. Empty where nobody looked at a database."""
    databases: tuple[ShownDatabase, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> Iterator[ShownFinding]:
        """All of them."""
        return (one for database in self.databases for each in database.revisions for one in each.findings)


def shown(
    name: str, plan: Plan, findings: Findings, digest: str = "", was_looked_at: bool = True
) -> ShownPlan:
    """The plan of this resource; ``findings`` reviews the facts of one database, ``digest`` is what approves it."""
    databases = tuple(_database(one, findings, was_looked_at, name) for one in plan.databases)
    return ShownPlan(name, digest, databases)


def _database(
    plan: DatabasePlan, findings: Findings, was_looked_at: bool, migration_name: str
) -> ShownDatabase:
    facts = plan.facts or DatabaseFacts()
    failure = plan.failure
    return ShownDatabase(
        name=plan.name,
        digest=plan.digest if was_looked_at else "",
        dialect=facts.dialect,
        server_version=facts.server_version,
        current=plan.current,
        target=plan.target,
        downgrade=plan.downgrade,
        ahead=plan.ahead,
        was_looked_at=was_looked_at,
        sizes_known=facts.tables_known,
        pending_count=len(plan.pending),
        revisions=tuple(_revisions(plan.pending, facts, findings(facts) if facts.revisions else ())),
        notices=plan.notices,
        failure="" if failure is None else why_it_failed(failure, migration_name),
    )


def _revisions(
    pending: Sequence[PendingRevision], facts: DatabaseFacts, findings: Sequence[Finding]
) -> Iterator[ShownRevision]:
    known = {one.revision: one for one in facts.revisions}
    tables = _Tables(facts)
    for one in pending:
        told = known.get(one.revision, RevisionFacts(one.revision, one.title))
        yield ShownRevision(
            revision=one.revision,
            title=one.title,
            file=told.file,
            post_deploy=one.post_deploy,
            is_foreign=told.is_foreign,
            merges=told.down_revisions if len(told.down_revisions) > 1 else (),
            has_downgrade=told.has_downgrade,
            statements=tuple(_statements(told, tables)),
            not_shown=told.not_renderable or ("" if told.file else "nothing is known of it"),
            findings=tuple(_finding(found) for found in findings if found.revision == one.revision),
        )


def _finding(found: Finding) -> ShownFinding:
    return ShownFinding(found.rule, found.severity.value, found.line, found.what, found.why, found.safe)


@dataclass
class _Tables:
    """Those of the catalog, and those that the revisions so far have made: nobody waits for these."""

    facts: DatabaseFacts
    new: set[str] = field(default_factory=set)

    def note(self, change: Change) -> None:
        if isinstance(change, changes.CreateTable):
            self.new.add(change.table)
        elif isinstance(change, changes.RenameTable) and change.table in self.new:
            self.new.add(".".join([*change.table.split(".")[:-1], change.to]))

    def size_of(self, table: str) -> TableFacts:
        exact = [one for one in self.facts.tables if qualified(one.schema, one.name) == table]
        loose = [one for one in self.facts.tables if one.name == table]
        found = exact or loose
        return found[0] if len(found) == 1 else TableFacts(table)


def _statements(revision: RevisionFacts, tables: _Tables) -> Iterator[ShownStatement]:
    calls = [call for call in revision.calls if call.function == "upgrade"]
    for one in revision.statements:
        call = call_at(calls, one.line)
        operation = "" if call is None else operation_of(call)
        locks = () if operation else tuple(_locks(one, tables))
        yield ShownStatement(
            one.sql, one.line, operation, one.autocommit, one.lost_parameters, one.is_cut, locks
        )


def _locks(statement: Statement, tables: _Tables) -> Iterator[TableLock]:
    """The strongest lock on each table that was there before."""
    strongest: dict[tuple[str, str], TableLock] = {}
    for change in _changes(statement.sql, tables.facts.dialect):
        tables.note(change)
        for lock in sorted(locks_of(change), key=lambda one: one.mode.rank):
            if lock.table not in tables.new or lock.index:
                size = tables.size_of(lock.table)
                strongest[lock.table, lock.index] = TableLock(
                    lock.mode.value, lock.mode.stops, lock.table, lock.index, size.rows, size.bytes
                )
    return iter(strongest.values())


def _changes(sql: str, dialect: str) -> tuple[Change, ...]:
    if dialect != "postgresql":
        return ()
    try:
        return tuple(change for tree in trees(sql) for change in read(tree))
    except Unreadable:
        return ()
