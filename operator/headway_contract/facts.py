"""What is known of a revision before it runs: its statements, its calls, and the tables that they touch.

Gathered where the project is (the runner, or a laptop), judged elsewhere (the lint rules, whoever reads a plan).
Advisory: a statement is told as it could be rendered without running it, never to be executed from here.
"""

from headway_contract.records import dataclass


@dataclass(frozen=True)
class Argument:
    """One argument of a call as the file has it; ``name`` is empty for a positional one."""

    text: str
    """Its source, shortened in the middle when it is long."""
    name: str = ""
    is_literal: bool = False
    """A constant, or a list, tuple or mapping of constants."""


@dataclass(frozen=True)
class Call:
    """A call in a revision's file: ``op.create_index(…)``, ``connection.execute(…)``, ``headway.backfill(…)``."""

    name: str
    """Dotted, with what an import renamed undone: ``alembic.op.create_index``; ``….execute`` on what is no name."""
    line: int
    end_line: int = 0
    arguments: tuple[Argument, ...] = ()
    function: str = "upgrade"
    """The function of the file that it stands in; of a helper that ``upgrade`` calls, ``upgrade`` too."""
    blocks: tuple[str, ...] = ()
    """What encloses it, from outside in: ``while``, ``for``, ``if``, ``try``, ``with ….autocommit_block``."""


@dataclass(frozen=True)
class Statement:
    """One SQL statement that the revision would run, rendered without a database."""

    sql: str
    line: int = 0
    """Of the file, where the call stands that leads to it; 0: not known."""
    autocommit: bool = False
    """It runs outside of the revision's transaction."""
    lost_parameters: bool = False
    """Bound parameters were rendered as NULL: the statement's text is not what would run."""
    is_cut: bool = False
    """It was longer than what is told; the text ends in the middle."""


@dataclass(frozen=True)
class Ignore:
    """``# headway: ignore RULE because REASON``: for its line and the next one, or for the file at its top."""

    rule: str
    reason: str = ""
    line: int = 0
    whole_file: bool = False


@dataclass(frozen=True)
class RevisionFacts:
    """One revision, in the order in which it would run."""

    revision: str
    title: str = ""
    down_revisions: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    file: str = ""
    """Its path from the project's folder."""
    file_sha256: str = ""
    is_downgrade: bool = False
    """It is taken back: its statements and calls are those of its ``downgrade``."""
    post_deploy: bool = False
    is_foreign: bool = False
    """Of another branch than the target asks for: it comes along because something depends on it."""
    statements: tuple[Statement, ...] = ()
    not_renderable: str = ""
    """Why those after the last one told cannot be shown, without a full stop; empty: all are told."""
    calls: tuple[Call, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    has_downgrade: bool = True
    """Its ``downgrade`` does something."""
    refuses_downgrade: bool = False
    """Its ``downgrade`` only raises an error, with a text that says why."""
    is_cut: bool = False
    """Not all of its calls are told, because they are too many or the plan is too long."""


@dataclass(frozen=True)
class TriggerFacts:
    """A trigger that an operation of the library left on a table, until a later step takes it away."""

    operation: str
    """``add_column_with_backfill``, ``rename_column_expand`` or ``change_type_expand``."""
    columns: tuple[str, ...]
    """Those that it writes and depends on: the one that is filled, or the old and the new one."""
    values: tuple[str, ...] = ()
    """What a column is filled with: SQL over columns of the same row. Those that are too long are left out."""


@dataclass(frozen=True)
class TableFacts:
    """A table that exists, as the catalog tells without counting."""

    name: str
    schema: str = ""
    rows: int | None = None
    """Estimated; None: not known."""
    bytes: int | None = None
    """With its indexes; None: not known."""
    defaults: tuple[str, ...] = ()
    """Its columns that have a default, of those that the revisions name."""
    triggers: tuple[TriggerFacts, ...] = ()
    """Those of the library, where the revisions name a column that they read or write."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What the rules and a reader need to know of one database and of what would be done to it."""

    dialect: str = ""
    """SQLAlchemy's name: ``postgresql``, ``mysql``, ``sqlite``."""
    server_version: str = ""
    transaction_per_revision: bool = True
    revisions: tuple[RevisionFacts, ...] = ()
    tables: tuple[TableFacts, ...] = ()
    """Those that the revisions touch and that exist."""
    tables_known: bool = False
    """Whether a catalog was asked; if not, nothing is known of sizes, and no table is taken for small."""
