"""What of a revision counts as committed: COMMIT wherever it stands, and what commits by itself; in doubt it does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from headway_runner.statements import transactions
from headway_runner.statements.commands import commands
from headway_runner.statements.transactions import TransactionWatch


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("COMMIT", ["COMMIT"]),
        (" commit ; ", ["commit"]),
        ("/* x */ COMMIT", ["COMMIT"]),
        ("-- x; y\nCOMMIT", ["COMMIT"]),
        ("/* a /* b; */ c; */ COMMIT", ["COMMIT"]),
        ("DELETE FROM t; COMMIT; ALTER TABLE b ADD x int", ["DELETE FROM t", "COMMIT", "ALTER TABLE b ADD x int"]),
        ("INSERT INTO t VALUES ('; COMMIT; ''--'); SELECT 2", ["INSERT INTO t VALUES ('')", "SELECT 2"]),
        (r"INSERT INTO t VALUES ('\'); COMMIT; SELECT '1'", ["INSERT INTO t VALUES ('')", "COMMIT", "SELECT ''"]),
        (r"INSERT INTO t VALUES (E'\'; COMMIT; '); SELECT 2", ["INSERT INTO t VALUES (E'')", "SELECT 2"]),
        ('UPDATE "a;b--" SET x = 1; END', ['UPDATE "a;b--" SET x = 1', "END"]),
        ("DO $$ BEGIN COMMIT; END $$; SELECT 2", ["DO $$", "SELECT 2"]),
        ("DO $a$ BEGIN $$; COMMIT; $$ END $a$", ["DO $$"]),
        ("CREATE FUNCTION f() AS 'BEGIN; COMMIT; END;' LANGUAGE sql;", ["CREATE FUNCTION f() AS '' LANGUAGE sql"]),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1; END; COMMIT",
            ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1; END", "COMMIT"],
        ),
        ("SELECT data #> path, $1 FROM t; SELECT 2", ["SELECT data #> path, $1 FROM t", "SELECT 2"]),
        ("SELECT 'open; COMMIT", ["SELECT ''"]),
        ("SELECT 1 -- the end; COMMIT", ["SELECT 1"]),
    ],
)  # fmt: skip
def test_a_text_is_told_apart_into_its_commands(text, found):
    normal = [" ".join(one.split()) for one in commands(text, "postgresql")]
    assert normal == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# COMMIT;\nALTER TABLE t ADD x int", ["ALTER TABLE t ADD x int"]),
        ("SELECT 1--1; COMMIT", ["SELECT 1--1", "COMMIT"]),
        (r"INSERT INTO t VALUES ('\'; COMMIT; ')", ["INSERT INTO t VALUES ('')"]),
        ("/*!40000 ALTER TABLE t DISABLE KEYS */", ["ALTER TABLE t DISABLE KEYS"]),
        (
            "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN SET @a = 1; COMMIT; END;",
            ["CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN SET @a = 1; COMMIT; END"],
        ),
    ],
)  # fmt: skip
def test_mysql_writes_some_of_it_in_another_way(text, found):
    assert [" ".join(one.split()) for one in commands(text, "mysql")] == found


class Revision:
    """Its statements on one connection, each followed by what becomes of it."""

    def __init__(self, dialect: str = "postgresql", driver: str = "psycopg") -> None:
        self.adapter = SimpleNamespace(autocommit=False)
        self.connection = cast(
            Any,
            SimpleNamespace(
                dialect=SimpleNamespace(name=dialect, driver=driver),
                connection=SimpleNamespace(dbapi_connection=self.adapter),
                get_execution_options=dict,
                invalidated=False,
            ),
        )
        self.watch = TransactionWatch()
        self.watch.begin(self.connection)

    def does(self, *statements: str) -> Revision:
        for one in statements:
            self.watch._starts(self.connection, None, one)
            self.watch._executed(self.connection, None, one)
        return self

    def fails(self, statement: str) -> list[str]:
        """What counts as committed, once this statement has failed and Alembic has rolled back."""
        self.watch._starts(self.connection, None, statement)
        self.watch._rolls_back(self.connection)
        return list(self.watch.kept)


@pytest.mark.parametrize(
    ("is_open", "statement", "kept"),
    [
        (True, "CREATE TABLE t (id int)", []),
        (True, "INSERT INTO t VALUES (1)", []),
        (False, "CREATE TABLE t (id int)", ["CREATE TABLE t (id int)"]),
        (False, "INSERT INTO t VALUES (1)", ["INSERT INTO t"]),
        (False, "PRAGMA foreign_keys = OFF", []),
        (False, "SELECT id FROM t", []),
    ],
)
def test_sqlite_keeps_at_once_only_what_it_does_outside_of_a_transaction(is_open, statement, kept):
    revision = Revision("sqlite", "pysqlite")
    revision.adapter.in_transaction = is_open
    assert revision.does(statement).fails("INSERT INTO busy VALUES (1)") == kept


BUSY = "ALTER TABLE busy ADD COLUMN x int"


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("COMMIT", ["UPDATE a"]),
        ("/* x */ COMMIT", ["UPDATE a"]),
        ("-- x\nCOMMIT", ["UPDATE a"]),
        ("INSERT INTO t VALUES (1); COMMIT", ["UPDATE a", "INSERT INTO t"]),
        ("BEGIN; INSERT INTO t VALUES (1); COMMIT;", ["UPDATE a", "INSERT INTO t"]),
        ("INSERT INTO t VALUES (1); COMMIT; DELETE FROM c", ["UPDATE a", "INSERT INTO t", "DELETE FROM c"]),
        ("COMMIT; BEGIN; DELETE FROM c", ["UPDATE a"]),
        ("INSERT INTO t VALUES (1); END; BEGIN", ["UPDATE a", "INSERT INTO t"]),
        ("PREPARE TRANSACTION 'x'", ["UPDATE a"]),
        ("COMMIT AND CHAIN", ["UPDATE a"]),
        ("ROLLBACK; INSERT INTO t VALUES (1); COMMIT", ["INSERT INTO t"]),
        ("INSERT INTO t VALUES ('; COMMIT;')", []),
        ("DO $$ BEGIN COMMIT; END $$; DELETE FROM c", []),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1; END", []),
        ("COMMIT PREPARED 'x'", []),
        ("ROLLBACK", []),
        ("SAVEPOINT s; DELETE FROM c; ROLLBACK TO s", []),
    ],
)
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_what_a_text_has_committed_stays_when_a_later_statement_fails(driver, statement, kept):
    assert Revision(driver=driver).does("UPDATE a SET x = 1", statement).fails(BUSY) == kept


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        (f"INSERT INTO t VALUES (1); COMMIT; {BUSY}", ["UPDATE a", "INSERT INTO t"]),
        (f"BEGIN; INSERT INTO t VALUES (1); COMMIT; BEGIN; {BUSY}; COMMIT", ["UPDATE a", "INSERT INTO t"]),
        (f"COMMIT; {BUSY}", ["UPDATE a"]),
        (f"BEGIN; INSERT INTO t VALUES (1); {BUSY}; COMMIT; -- the end", []),
        (f"INSERT INTO t VALUES ('COMMIT;'); {BUSY}", []),
        (f"DO $$ BEGIN COMMIT; END $$; {BUSY}", []),
    ],
)
def test_what_a_text_commits_before_its_last_command_stays_also_when_it_fails(statement, kept):
    assert Revision().does("UPDATE a SET x = 1").fails(statement) == kept


@pytest.mark.parametrize("each", ["CREATE TABLE t{0} (id int)", "BEGIN; DELETE FROM t{0}; COMMIT"])
def test_what_a_text_of_many_commands_commits_is_told_once(each):
    one, told = Revision(), list[tuple[str, ...]]()
    one.adapter.autocommit = True
    one.watch._tell = told.append
    one.watch._executed(one.connection, None, ";".join(each.format(number) for number in range(1000)))
    assert [len(kept) for kept in told] == [1000]


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("SELECT 1 FROM pg_catalog.pg_class", False),
        ("SELECT pg_catalog.set_config('search_path', '', false);", False),
        ('ALTER TABLE a ALTER x TYPE text COLLATE pg_catalog."C"', True),
        ("CREATE TABLE b AS SELECT * FROM pg_catalog.pg_class", True),
        ("SELECT * INTO b FROM pg_catalog.pg_class", True),
        ("WITH x AS (DELETE FROM a RETURNING 1) SELECT 1 FROM pg_catalog.pg_class", True),
    ],
)
def test_only_what_reads_the_catalogue_counts_as_nothing(statement, counts):
    assert bool(Revision().does(statement, "COMMIT").fails(BUSY)) == counts


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("statement", "itself"),
    [
        ("CREATE TABLE t (id int)", ["CREATE TABLE t (id int)"]),
        ("GRANT SELECT ON a TO b", ["GRANT"]),
        ("REVOKE SELECT ON a FROM b", ["REVOKE"]),
        ("LOCK TABLES a WRITE", []),
        ("UNLOCK TABLES", []),
        ("START TRANSACTION", []),
        ("BEGIN", []),
        ("ANALYZE TABLE a", []),
        ("OPTIMIZE TABLE a", []),
        ("FLUSH TABLES", []),
        ("SET autocommit = 1", []),
        ("/*!40000 ALTER TABLE a DISABLE KEYS */", ["ALTER TABLE a DISABLE KEYS"]),
    ],
)
def test_mysql_commits_what_was_open_before_these(dialect, statement, itself):
    assert Revision(dialect, "pymysql").does("UPDATE a SET x = 1", statement).fails(
        "UPDATE busy SET x = 1"
    ) == [
        "UPDATE a",
        *itself,
    ]


@pytest.mark.parametrize("statement", ["SELECT 1", "SET @a = 1", "SAVEPOINT s", "REPLACE INTO t VALUES (1)"])
def test_mysql_commits_nothing_before_others(statement):
    found = Revision("mysql", "pymysql").does("UPDATE a SET x = 1", statement).fails("UPDATE busy SET x = 1")
    assert found == []


def test_a_driver_that_asks_the_server_is_kept_out_of_transactions_only_by_a_commit_alone():
    alone, part = Revision().does("/* x */ COMMIT"), Revision().does("BEGIN; DELETE FROM c; COMMIT")
    assert (alone.adapter.autocommit, part.adapter.autocommit) == (True, False)
    assert part.does("INSERT INTO t VALUES (1)").fails(BUSY) == ["DELETE FROM c"]


@pytest.mark.parametrize(
    ("statement", "is_local"),
    [
        ("SET LOCAL search_path = a", True),
        ("-- x\n/* y */ set  local role a", True),
        ("SET CONSTRAINTS ALL DEFERRED", True),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", True),
        ("SELECT pg_catalog.set_config('search_path', %(schema)s, true)", True),
        ("SELECT 1, set_config('role', 'a,b', 't'), 2", True),
        ("SELECT pg_catalog.set_config('search_path', '', false)", False),
        ("SET search_path = a", False),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", False),
        ("INSERT INTO t VALUES ('set local')", False),
    ],
)
def test_what_is_set_for_one_transaction_is_noticed(statement, is_local):
    assert transactions.is_local(statement) == is_local


class OneTransaction(Revision):
    """Revisions that share one."""

    def autocommits(self, statement: str) -> Revision:
        """As ``autocommit_block()`` does: what was open is committed, and the statement by itself."""
        self.watch._commits(self.connection)
        self.adapter.autocommit = True
        self.does(statement)
        self.adapter.autocommit = False
        return self

    def ends(self) -> OneTransaction:
        self.watch.inside = False
        self.watch.end(shares=True)
        return self

    def next(self) -> OneTransaction:
        self.ends().watch.begin(self.connection)
        return self

    def is_committed(self) -> OneTransaction:
        self.watch._commits(self.connection)
        return self


INDEX = "CREATE INDEX i ON a (x)"


def test_what_an_earlier_revision_committed_stays_when_its_version_row_is_undone_with_a_later_one():
    one = OneTransaction()
    one.does("UPDATE a SET x = 1")
    one.autocommits(INDEX)
    assert one.next().fails(BUSY) == ["UPDATE a", INDEX]


def test_it_is_known_also_of_a_process_that_is_killed_in_the_later_one():
    one = OneTransaction()
    one.autocommits(INDEX)
    told: list[tuple[str, ...]] = []
    one.watch._tell = told.append
    one.next()
    assert told == [(INDEX,)]


def test_an_earlier_revision_whose_version_row_a_later_one_has_committed_is_done():
    one = OneTransaction()
    one.autocommits(INDEX)
    assert one.next().autocommits("CREATE INDEX j ON a (x)").fails(BUSY) == ["CREATE INDEX j ON a (x)"]


def test_what_was_committed_with_its_version_row_is_done_before_another_context_begins():
    one = OneTransaction()
    one.autocommits(INDEX)
    one.ends().is_committed().watch.begin(one.connection)
    assert one.fails(BUSY) == []


def test_a_version_row_that_is_committed_for_each_revision_all_the_same_is_done():
    """As Alembic does where definitions commit by themselves."""
    one = OneTransaction("mysql", "pymysql")
    one.does("CREATE TABLE t (id int)").watch.inside = False
    assert one.is_committed().next().fails("UPDATE busy SET x = 1") == []


def test_mysql_commits_the_version_row_of_an_earlier_revision_before_a_definition_also_when_that_fails():
    one = OneTransaction("mysql", "pymysql")
    one.does("CREATE TABLE t (id int)")
    told: list[tuple[str, ...]] = []
    one.watch._tell = told.append
    assert one.next().fails("ALTER TABLE busy ADD x int") == []
    assert told == [("CREATE TABLE t (id int)",), ()]


@pytest.mark.parametrize(
    "statement", ["UPDATE busy SET x = 1", "CREATE TEMPORARY TABLE b AS SELECT * FROM busy", "-- nothing"]
)
def test_mysql_commits_no_version_row_before_others(statement):
    one = OneTransaction("mysql", "pymysql")
    one.does("CREATE TABLE t (id int)")
    assert one.next().fails(statement) == ["CREATE TABLE t (id int)"]


def test_a_driver_that_knows_of_no_commit_commits_each_statement_of_later_revisions_too():
    one = OneTransaction(driver="psycopg2")
    one.does("COMMIT")
    assert one.next().does("DELETE FROM c").fails(BUSY) == ["DELETE FROM c"]


def test_what_is_committed_with_each_version_row_is_not_carried_over():
    one = Revision()
    one.does("DELETE FROM c; COMMIT").watch.end()
    one.watch.begin(one.connection)
    assert one.fails(BUSY) == []
