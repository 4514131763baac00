"""What a statement does, in the words that rules ask in. One dataclass for each thing that can be done.

Tables are called ``schema.table``, or ``table`` alone in the schema ``public``. Expressions stay trees.
"""

from dataclasses import dataclass, field

from headway_operator.lint.parser import Tree


@dataclass(frozen=True)
class Change:
    """Anything that a statement does; ``table`` is empty when it is about none, or names none."""

    table: str


@dataclass(frozen=True)
class CanBeConcurrent(Change):
    """What has a form with CONCURRENTLY, which holds nobody up and runs in no transaction."""

    concurrently: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Type:
    """A type as PostgreSQL calls it (``int4``, ``varchar``), with its numbers: ``varchar(30)`` has 30."""

    name: str
    numbers: tuple[int, ...] = ()
    is_array: bool = False


@dataclass(frozen=True)
class Constraint:
    """A constraint of a table, or of one column."""

    kind: str
    """``check``, ``foreign key``, ``unique``, ``primary key``, ``exclude``, ``not null``."""
    name: str = ""
    columns: tuple[str, ...] = ()
    not_valid: bool = False
    using_index: str = ""
    references: str = ""
    """The other table of a foreign key."""
    expression: Tree | None = None
    referred_columns: tuple[str, ...] = ()
    """Of a foreign key; none where the statement leaves them out."""


@dataclass(frozen=True)
class Column:
    """A column as it is defined."""

    name: str
    type: Type
    not_null: bool = False
    default: Tree | None = None
    generated: str = ""
    """``stored`` or ``virtual``."""
    is_identity: bool = False
    constraints: tuple[Constraint, ...] = ()
    """Those written behind it, without NOT NULL."""


@dataclass(frozen=True)
class CreateTable(Change):
    """CREATE TABLE, also from a query (SELECT … INTO too), and CREATE MATERIALIZED VIEW."""

    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    if_not_exists: bool = False
    partition_of: str = ""
    from_query: bool = False


@dataclass(frozen=True)
class DropTable(Change):
    """DROP TABLE; one for each table."""

    cascade: bool = False
    if_exists: bool = False


@dataclass(frozen=True)
class RenameTable(Change):
    """ALTER TABLE … RENAME TO …"""

    to: str = ""


@dataclass(frozen=True)
class AddColumn(Change):
    """ALTER TABLE … ADD COLUMN …"""

    column: Column = field(default_factory=lambda: Column("", Type("")))
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropColumn(Change):
    """ALTER TABLE … DROP COLUMN …"""

    column: str = ""
    cascade: bool = False


@dataclass(frozen=True)
class RenameColumn(Change):
    """ALTER TABLE … RENAME COLUMN … TO …"""

    column: str = ""
    to: str = ""


@dataclass(frozen=True)
class AlterType(Change):
    """ALTER COLUMN … TYPE …"""

    column: str = ""
    type: Type = Type("")
    using: Tree | None = None
    """None also where it only says that the column is cast to the type."""


@dataclass(frozen=True)
class SetDefault(Change):
    """ALTER COLUMN … SET DEFAULT …; without an expression: DROP DEFAULT."""

    column: str = ""
    default: Tree | None = None


@dataclass(frozen=True)
class SetNotNull(Change):
    """ALTER COLUMN … SET NOT NULL, or ADD CONSTRAINT … NOT NULL without NOT VALID (PostgreSQL 18)."""

    column: str = ""
    constraint: str = ""
    """The name that it gives to the constraint."""


@dataclass(frozen=True)
class DropNotNull(Change):
    """ALTER COLUMN … DROP NOT NULL."""

    column: str = ""


@dataclass(frozen=True)
class AddIdentity(Change):
    """ALTER COLUMN … ADD GENERATED … AS IDENTITY."""

    column: str = ""


@dataclass(frozen=True)
class AddConstraint(Change):
    """ALTER TABLE … ADD CONSTRAINT …"""

    constraint: Constraint = Constraint("")


@dataclass(frozen=True)
class ValidateConstraint(Change):
    """ALTER TABLE … VALIDATE CONSTRAINT …"""

    name: str = ""


@dataclass(frozen=True)
class DropConstraint(Change):
    """ALTER TABLE … DROP CONSTRAINT …"""

    name: str = ""
    cascade: bool = False


@dataclass(frozen=True)
class AttachPartition(Change):
    """ALTER TABLE … ATTACH PARTITION …"""

    partition: str = ""


@dataclass(frozen=True)
class DetachPartition(CanBeConcurrent):
    """ALTER TABLE … DETACH PARTITION …"""

    partition: str = ""


@dataclass(frozen=True)
class AlterOther(Change):
    """Any other form of ALTER TABLE, by PostgreSQL's name: ``AT_SetTableSpace``."""

    form: str = ""
    name: str = ""
    """Of the column, or whatever the form is about; empty where it is about the table."""


@dataclass(frozen=True)
class CreateIndex(CanBeConcurrent):
    """CREATE INDEX."""

    name: str = ""
    columns: tuple[str, ...] = ()
    """Of the key; an expression is an empty name."""
    method: str = "btree"
    unique: bool = False
    if_not_exists: bool = False
    only: bool = False
    """ON ONLY: of a partitioned table without its partitions."""
    where: Tree | None = None


@dataclass(frozen=True)
class DropIndex(CanBeConcurrent):
    """DROP INDEX; one for each index."""

    name: str = ""
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class Reindex(CanBeConcurrent):
    """REINDEX."""

    of: str = ""
    """``index``, ``table``, ``schema``, ``system`` or ``database``."""
    name: str = ""


@dataclass(frozen=True)
class Update(Change):
    """UPDATE, also within another statement."""

    assignments: tuple[tuple[str, Tree], ...] = ()
    where: Tree | None = None
    tree: Tree = field(default_factory=dict)


@dataclass(frozen=True)
class Delete(Change):
    """DELETE, also within another statement."""

    where: Tree | None = None
    tree: Tree = field(default_factory=dict)


@dataclass(frozen=True)
class Insert(Change):
    """INSERT."""

    from_query: bool = False
    """Its rows come from a query over tables, not from values."""
    tree: Tree = field(default_factory=dict)


@dataclass(frozen=True)
class Query(Change):
    """SELECT."""

    tree: Tree = field(default_factory=dict)


@dataclass(frozen=True)
class Truncate(Change):
    """TRUNCATE; one for each table."""

    cascade: bool = False


@dataclass(frozen=True)
class DropDatabase(Change):
    """DROP DATABASE."""

    name: str = ""


@dataclass(frozen=True)
class DropOther(Change):
    """DROP of anything else, by PostgreSQL's name: ``OBJECT_VIEW``."""

    kind: str = ""
    name: str = ""
    cascade: bool = False


@dataclass(frozen=True)
class RenameOther(Change):
    """RENAME of anything else, by PostgreSQL's name: ``OBJECT_SCHEMA``."""

    kind: str = ""
    name: str = ""
    to: str = ""


@dataclass(frozen=True)
class CreateEnum(Change):
    """CREATE TYPE … AS ENUM."""

    name: str = ""


@dataclass(frozen=True)
class AddEnumValue(Change):
    """ALTER TYPE … ADD VALUE."""

    name: str = ""
    value: str = ""
    is_placed: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class RenameEnumValue(Change):
    """ALTER TYPE … RENAME VALUE."""

    name: str = ""
    value: str = ""
    to: str = ""


@dataclass(frozen=True)
class SetVariable(Change):
    """SET, RESET; ``value`` is None for the server's own."""

    name: str = ""
    value: str | None = None
    is_local: bool = False


@dataclass(frozen=True)
class Vacuum(Change):
    """VACUUM or ANALYZE; one for each table."""

    full: bool = False


@dataclass(frozen=True)
class Cluster(Change):
    """CLUSTER."""


@dataclass(frozen=True)
class Transaction(Change):
    """BEGIN, COMMIT and their like, by PostgreSQL's name: ``TRANS_STMT_COMMIT``."""

    kind: str = ""


@dataclass(frozen=True)
class Other(Change):
    """Anything else, by the name of its tree: ``DoStmt``."""

    kind: str = ""
    tree: Tree = field(default_factory=dict)
