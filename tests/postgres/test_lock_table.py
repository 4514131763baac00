"""The table of locks says what PostgreSQL does: each statement is run, and the server is asked what it holds."""

from __future__ import annotations

import psycopg
import pytest

from headway_operator.lint.locks import Mode, locks_of
from headway_operator.lint.parser import trees
from headway_operator.lint.reading import read

SCHEMA = """
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 1, b text, other_id int,
                CONSTRAINT positive CHECK (a > 0), CONSTRAINT pending CHECK (a > 1) NOT VALID);
CREATE INDEX t_b ON t (b);
CREATE UNIQUE INDEX t_a ON t (a);
CREATE TABLE parted (id int NOT NULL, d int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE loose (id int NOT NULL, d int);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER there BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted();
CREATE MATERIALIZED VIEW seen AS SELECT id FROM t;
CREATE UNIQUE INDEX seen_id ON seen (id);
"""
STATEMENTS = (
    "CREATE TABLE fresh (id int, other_id int REFERENCES other)",
    "CREATE TABLE fresh (id int, other_id int, FOREIGN KEY (other_id) REFERENCES other (id))",
    "CREATE TABLE fresh PARTITION OF parted FOR VALUES FROM (20) TO (30)",
    "DROP TABLE loose",
    "ALTER TABLE loose RENAME TO tight",
    "ALTER TABLE t ADD COLUMN c int",
    "ALTER TABLE t ADD COLUMN c int REFERENCES other (id)",
    "ALTER TABLE t DROP COLUMN b",
    "ALTER TABLE t RENAME COLUMN b TO c",
    "ALTER TABLE t ALTER COLUMN a TYPE bigint",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 2",
    "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a < 9) NOT VALID",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (other_id) REFERENCES other (id) NOT VALID",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX t_a",
    "ALTER TABLE t VALIDATE CONSTRAINT pending",
    "ALTER TABLE t DROP CONSTRAINT positive",
    "ALTER TABLE t ALTER COLUMN a SET STATISTICS 100",
    "ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)",
    "ALTER TABLE t ALTER COLUMN b SET STORAGE EXTERNAL",
    "ALTER TABLE t SET (fillfactor = 50)",
    "ALTER TABLE t RESET (fillfactor)",
    "ALTER TABLE t CLUSTER ON t_b",
    "ALTER TABLE t SET WITHOUT CLUSTER",
    "ALTER TABLE t DISABLE TRIGGER there",
    "ALTER TABLE t ENABLE TRIGGER ALL",
    "ALTER TABLE t ENABLE ALWAYS TRIGGER there",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t REPLICA IDENTITY FULL",
    "ALTER TABLE t SET UNLOGGED",
    "ALTER TABLE parted ATTACH PARTITION loose FOR VALUES FROM (50) TO (60)",
    "ALTER TABLE parted DETACH PARTITION part",
    "CREATE INDEX i ON t (a)",
    "DROP INDEX t_b",
    "REINDEX TABLE t",
    "REINDEX INDEX t_b",
    "INSERT INTO t (id, a) VALUES (1, 2)",
    "UPDATE t SET a = 3",
    "DELETE FROM t",
    "TRUNCATE t",
    "CLUSTER t USING t_b",
    "LOCK TABLE t IN SHARE MODE",
    "LOCK TABLE t",
    "CREATE TRIGGER fresh BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE STATISTICS s ON a, b FROM t",
    "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    "CREATE POLICY p ON t",
    "REFRESH MATERIALIZED VIEW seen",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY seen",
    "ANALYZE t",
)
TABLES = ("t", "other", "parted", "part", "loose", "seen")
OF_INDEX = {"t_b": "t"}


def strongest(locks):
    found = {}
    for table, mode in locks:
        found[table] = max(mode, found.get(table, mode), key=lambda one: one.rank)
    return found


def told(statement):
    changes = [change for tree in trees(statement) for change in read(tree)]
    locks = [lock for change in changes for lock in locks_of(change)]
    return strongest((OF_INDEX.get(lock.index, lock.table), lock.mode) for lock in locks)


def mode_of(name):
    """``ShareUpdateExclusiveLock`` of the view is ``SHARE UPDATE EXCLUSIVE`` of the manual."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in name.removesuffix("Lock"))
    return Mode(words.strip().upper())


def held(connection, statement):
    # The name of a table may be new afterwards: its number is not.
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT oid::int, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "AND relname = ANY(%s)",
                (list(TABLES),),
            )
            names = dict(cursor.fetchall())
            cursor.execute(statement)
            cursor.execute(
                "SELECT relation::int, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = ANY(%s)",
                (list(names),),
            )
            return strongest((names[relation], mode_of(mode)) for relation, mode in cursor.fetchall())
    finally:
        connection.rollback()


def weaker_than_writing(locks):
    """Reading beside the real work is not told: a foreign key's check, a view's query."""
    return {table: mode for table, mode in locks.items() if mode.rank >= Mode.ROW_EXCLUSIVE.rank}


@pytest.fixture
def connection(database):
    with psycopg.connect(database.address) as connection:
        connection.execute(SCHEMA)
        connection.commit()
        yield connection


def test_the_server_holds_the_locks_that_are_told(connection):
    wrong = {}
    for statement in STATEMENTS:
        expected, found = told(statement), weaker_than_writing(held(connection, statement))
        if expected != found:
            wrong[statement] = (expected, found)
    assert wrong == {}


def test_what_goes_concurrently_is_told_as_the_manual_says():
    assert told("CREATE INDEX CONCURRENTLY i ON t (a)") == {"t": Mode.SHARE_UPDATE_EXCLUSIVE}
    assert told("DROP INDEX CONCURRENTLY t_b") == {"t": Mode.SHARE_UPDATE_EXCLUSIVE}
    assert told("REINDEX TABLE CONCURRENTLY t") == {"t": Mode.SHARE_UPDATE_EXCLUSIVE}
    assert told("VACUUM t") == {"t": Mode.SHARE_UPDATE_EXCLUSIVE}
    assert told("VACUUM (FULL) t") == {"t": Mode.ACCESS_EXCLUSIVE}
    assert told("ALTER TABLE parted DETACH PARTITION part CONCURRENTLY") == {
        "parted": Mode.SHARE_UPDATE_EXCLUSIVE,
        "part": Mode.ACCESS_EXCLUSIVE,
    }


def test_what_an_application_waits_for_is_told():
    assert [mode.stops for mode in Mode] == ["", "", "", "", "writes", "writes", "writes", "reads and writes"]
