"""Which tables are harmless, what comments take away, and that nothing in a revision can make the lint fail."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from headway_contract.facts import Argument, Call, DatabaseFacts, Ignore, RevisionFacts, Statement, TableFacts
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.lint import Settings, findings
from support.fix_depth import examples

INDEX = "index_is_created_without_concurrently"
BUILD = Statement("CREATE INDEX idx ON users (email)", line=10)
MEGABYTE = 1024 * 1024


def a_revision(*statements: Statement, revision: str = "r1", **more: object) -> RevisionFacts:
    return RevisionFacts(revision, file=f"{revision}.py", statements=statements, **more)  # type: ignore[arg-type]


def a_database(*revisions: RevisionFacts, tables: tuple[TableFacts, ...] | None = None) -> DatabaseFacts:
    return DatabaseFacts(
        "postgresql", revisions=revisions, tables=tables or (), tables_known=tables is not None
    )


def rules_of(found: tuple[Finding, ...]) -> list[str]:
    return [one.rule for one in found]


def users(rows: int | None, size: int | None) -> tuple[TableFacts, ...]:
    return (TableFacts("users", "public", rows, size),)


def test_a_table_that_is_small_in_rows_and_bytes_is_left_alone():
    database = a_database(a_revision(BUILD), tables=users(9_999, 9 * MEGABYTE))
    assert findings(database) == ()


def test_a_table_with_few_rows_of_many_bytes_or_of_unknown_size_is_not_small():
    for tables in (users(5, 11 * MEGABYTE), users(10_000, 5), users(None, 5), users(5, None), ()):
        assert rules_of(findings(a_database(a_revision(BUILD), tables=tables))) == [INDEX]


def test_a_finding_tells_the_size_that_is_known():
    (one,) = findings(a_database(a_revision(BUILD), tables=users(4_200_000, 900 * MEGABYTE)))
    assert "on users (4.2M rows)" in one.what


def test_a_table_of_an_earlier_revision_is_new_only_where_the_catalog_does_not_know_it():
    created = a_revision(Statement("CREATE TABLE users (email text)"), revision="r0")
    assert findings(a_database(created, a_revision(BUILD), tables=())) == ()
    assert rules_of(findings(a_database(created, a_revision(BUILD)))) == [INDEX]
    assert rules_of(findings(a_database(created, a_revision(BUILD), tables=users(10**6, 10**9)))) == [INDEX]


def test_a_table_that_is_made_if_it_is_not_there_is_new_where_the_catalog_does_not_have_it():
    made = Statement("CREATE TABLE IF NOT EXISTS users (email text)", line=9)
    assert rules_of(findings(a_database(a_revision(made, BUILD)))) == [INDEX]
    assert rules_of(findings(a_database(a_revision(made, BUILD), tables=users(10**6, 10**9)))) == [INDEX]
    assert findings(a_database(a_revision(made, BUILD), tables=())) == ()


def test_a_table_that_is_made_anew_is_not_the_one_that_the_catalog_knows():
    again = Statement("DROP TABLE users", line=8), Statement("CREATE TABLE users (email text)", line=9)
    found = findings(a_database(a_revision(*again, BUILD), tables=users(10**6, 10**9)))
    assert rules_of(found) == ["table_is_dropped"]


def test_a_table_that_is_dropped_if_it_is_there_is_none_where_the_catalog_does_not_have_it():
    for drop, counts in (("DROP TABLE IF EXISTS users", False), ("DROP TABLE users", True)):
        revision = a_revision(
            Statement(drop, line=8), Statement("CREATE TABLE users (email text)", line=9), BUILD
        )
        assert rules_of(findings(a_database(revision))) == ["table_is_dropped"]
        assert rules_of(findings(a_database(revision, tables=users(5, 5)))) == ["table_is_dropped"]
        assert rules_of(findings(a_database(revision, tables=()))) == ["table_is_dropped"] * counts


def test_what_an_earlier_revision_has_made_is_no_more_new_once_it_is_dropped_or_renamed():
    made = a_revision(Statement("CREATE TABLE users (email text)"), revision="r0")
    for gone in ("DROP TABLE users", "ALTER TABLE users RENAME TO people"):
        later = a_revision(Statement(gone, line=9), BUILD)
        assert rules_of(findings(a_database(made, later, tables=()))) == [INDEX]


def test_a_name_without_a_schema_is_small_only_where_each_table_of_that_name_is():
    small, large = (TableFacts("users", schema, size, size) for schema, size in (("a", 1), ("b", 10**9)))
    for tables in ((small, large), (large, small), (large,)):
        assert rules_of(findings(a_database(a_revision(BUILD), tables=tables))) == [INDEX]
    for tables in ((small,), (small, replace(large, rows=1, bytes=1))):
        assert findings(a_database(a_revision(BUILD), tables=tables)) == ()


def test_a_table_that_the_run_makes_is_none_of_that_name_in_another_schema():
    made = Statement("CREATE TABLE users (email text)", line=8)
    required = Statement("ALTER TABLE users ALTER email SET NOT NULL", line=9)
    auth = (TableFacts("users", "auth", 10**6, 10**9, ("email",)),)
    assert findings(a_database(a_revision(made, required, BUILD), tables=auth)) == ()
    earlier = a_revision(made, revision="r0")
    assert findings(a_database(earlier, a_revision(required, BUILD), tables=auth)) == ()
    renamed = Statement("CREATE TABLE new (email text)"), Statement("ALTER TABLE new RENAME TO users", line=2)
    assert findings(a_database(a_revision(*renamed, BUILD), tables=auth)) == ()


def test_a_table_that_the_run_makes_anew_was_perhaps_one_of_another_schema():
    first = Statement("CREATE INDEX idx ON users (email)", line=7)
    again = Statement("DROP TABLE users", line=8), Statement("CREATE TABLE users (email text)", line=9)
    auth = (TableFacts("users", "auth", 5, 5),)
    assert INDEX not in rules_of(findings(a_database(a_revision(first, *again, BUILD), tables=auth)))


def test_a_comment_with_a_reason_takes_its_finding_away():
    for line in (9, 10):
        ignore = Ignore(INDEX, "nobody writes to it at night", line)
        assert findings(a_database(a_revision(BUILD, ignores=(ignore,)))) == ()
    at_the_top = Ignore(INDEX, "nobody writes", 1, whole_file=True)
    assert findings(a_database(a_revision(BUILD, ignores=(at_the_top,)))) == ()


def test_a_comment_behind_the_last_line_of_a_call_is_of_that_call():
    call = Call("alembic.op.create_index", 10, 13)
    ignore = Ignore(INDEX, "nobody writes", 13)
    assert findings(a_database(a_revision(BUILD, calls=(call,), ignores=(ignore,)))) == ()


def test_a_comment_without_a_reason_is_not_obeyed_and_found_itself():
    found = findings(a_database(a_revision(BUILD, ignores=(Ignore(INDEX, "", 10),))))
    assert set(rules_of(found)) == {INDEX, "ignore_has_no_reason"}


def test_a_comment_that_stands_elsewhere_matches_nothing_and_is_found():
    found = findings(a_database(a_revision(BUILD, ignores=(Ignore(INDEX, "why not", 3),))))
    assert rules_of(found) == ["ignore_matches_nothing", INDEX]


def test_a_comment_of_a_rule_that_does_not_exist_names_the_nearest():
    ignore = Ignore("index_is_created_without_concurrency", "why not", 10)
    found = findings(a_database(a_revision(BUILD, ignores=(ignore,))))
    (one,) = (one for one in found if one.rule == "ignored_rule_is_unknown")
    assert f"Did you mean `{INDEX}`?" in one.message


def test_a_rule_that_is_off_finds_nothing_and_its_comments_are_in_order():
    ignore = Ignore(INDEX, "why not", 10)
    database = a_database(a_revision(BUILD, ignores=(ignore,)))
    assert findings(database, Settings(ignore=(INDEX,))) == ()


def test_a_setting_that_names_no_rule_is_a_warning():
    (one,) = findings(a_database(), Settings(ignore=("no_such_rule",)))
    assert (one.rule, one.severity) == ("ignored_rule_is_unknown", Severity.WARNING)


def test_one_line_that_does_a_thing_to_many_tables_is_one_finding():
    many = tuple(Statement(f"CREATE INDEX i ON t{number} (a)", line=10) for number in range(5))
    (one,) = findings(a_database(a_revision(*many)))
    assert one.what.endswith("(And 4 more at this place.)")


def test_sql_that_is_none_is_told_and_the_rest_is_judged():
    found = findings(a_database(a_revision(Statement("SELEC 1", line=3), BUILD)))
    assert rules_of(found) == ["statement_cannot_be_read", INDEX]
    assert found[0].severity is Severity.WARNING


def test_a_statement_that_was_cut_says_so():
    (one,) = findings(a_database(a_revision(Statement("INSERT INTO t VALUES ('", is_cut=True))))
    assert "it was cut" in one.what


def test_sql_of_other_databases_is_not_read_as_postgresql():
    facts = DatabaseFacts("mysql", revisions=(a_revision(Statement("ALTER TABLE t MODIFY a TEXT")),))
    assert findings(facts) == ()


REQUIRED = (
    Statement("UPDATE users SET status = 'new' WHERE status IS NULL", line=5),
    Statement("ALTER TABLE users ALTER COLUMN status SET NOT NULL", line=6),
)
CONTRACT = "contract_step_runs_with_its_backfill"


def test_a_default_that_the_catalog_knows_gives_new_rows_a_value_until_the_run_drops_it():
    def found(*statements, defaults=("status",)):
        tables = (TableFacts("users", "public", 10**6, 10**9, defaults),)
        return CONTRACT in rules_of(findings(a_database(a_revision(*statements), tables=tables)))

    dropped = Statement("ALTER TABLE users ALTER COLUMN status DROP DEFAULT", line=4)
    assert not found(*REQUIRED)
    assert found(*REQUIRED, defaults=("other",))
    assert found(dropped, *REQUIRED)


DROPS = (
    Statement("ALTER TABLE users DROP COLUMN email", line=5),
    Statement("DROP TABLE carts", line=6),
    Statement("UPDATE users SET name = full_name", line=7),
    Statement("ALTER TABLE users DROP COLUMN full_name", line=8),
    *REQUIRED,
)


def test_what_a_way_down_drops_is_for_after_the_application_and_no_mark_of_the_revision_helps():
    for post_deploy in (True, False):
        down = a_revision(*DROPS, is_downgrade=True, post_deploy=post_deploy)
        found = [one for one in findings(a_database(down)) if "post_deploy" in one.safe or "Roll" in one.safe]
        assert sorted(rules_of(tuple(found))) == [
            "column_is_dropped", "column_is_dropped", CONTRACT, CONTRACT, "table_is_dropped",
        ]  # fmt: skip
        assert all(one.safe.startswith("Roll the application back first, everywhere, to ") for one in found)
        assert {one.severity for one in found} == {Severity.WARNING}


def test_a_call_speaks_of_its_own_statements_and_of_one_without_a_line_where_it_names_table_and_column():
    def found(table, line=0):
        told = (Argument(f"'{table}'", "", True), Argument("'email'", "", True))
        call = Call(
            "alembic.op.alter_column", 5, arguments=(*told, Argument("False", "existing_nullable", True))
        )
        other = Call("alembic.op.execute", 9)
        statement = Statement("ALTER TABLE users ALTER email SET NOT NULL", line=line)
        facts = a_database(a_revision(statement, calls=(call, other)))
        return "not_null_is_set_on_an_existing_column" in rules_of(findings(facts))

    assert not found("users")
    assert found("customers")
    assert found("users", line=9)
    assert not found("users", line=5)
    assert found("customers", line=5)


SQL = (
    "ALTER TABLE users ADD COLUMN a int DEFAULT random() NOT NULL , ; ( ) DROP INDEX CONCURRENTLY UPDATE SET = 1 "
    "'x' WHERE IS NULL CREATE UNIQUE ON TYPE RENAME TO WITH AS SELECT LIMIT OFFSET $1 \x00 \ud800"
)
WORDS = st.sampled_from(SQL.split(" "))


@given(st.lists(WORDS, max_size=30), st.text(max_size=40))
@settings(max_examples=examples(300), deadline=None)
def test_no_text_makes_it_fail(words, text):
    facts = a_database(a_revision(Statement(" ".join(words)), Statement(text)))
    assert all(one.rule for one in findings(facts))


def test_a_megabyte_of_sql_and_a_deep_expression_are_read_or_told():
    long = "INSERT INTO t VALUES " + ", ".join(f"({number}, 'x')" for number in range(60_000))
    deep = "SELECT " + "(" * 20_000 + "1" + ")" * 20_000
    nested = "SELECT " + "NOT " * 3_000 + "true"
    found = findings(
        a_database(
            a_revision(Statement(long), Statement(deep), Statement(nested), Statement("SELECT '\ud800'"))
        )
    )
    assert [one.what.removeprefix("A statement cannot be read: ") for one in found] == [
        "it is longer than 100,000 characters.",
        'memory exhausted at or near "(".',
        "its expressions are nested too deeply.",
        "it has characters that no SQL has.",
    ]


def test_a_commit_in_sql_makes_a_concurrent_build_a_warning_since_drivers_differ():
    build = Statement("CREATE INDEX CONCURRENTLY idx ON users (email)", line=10)
    rule = "concurrently_is_used_in_a_transaction"
    for first, severity in (("COMMIT", Severity.WARNING), ("SELECT 1", Severity.ERROR)):
        found = findings(a_database(a_revision(Statement(first, line=9), build)))
        assert [one.severity for one in found if one.rule == rule] == [severity]


def test_who_waits_for_rows_that_share_a_transaction_is_told_by_the_lock_that_is_held():
    fill = Statement("UPDATE orders SET status = 'new' WHERE status IS NULL", line=10)
    trigger, column = "ALTER TABLE a DISABLE TRIGGER audit", "ALTER TABLE b ADD COLUMN c text"

    def why(*statements):
        lines = (Statement(sql, line=number) for number, sql in enumerate(statements, 1))
        found = findings(a_database(a_revision(*lines, fill)))
        return [one.why for one in found if one.rule == "backfill_shares_the_transaction_of_a_schema_change"]

    assert why(trigger) == ["Until the last row is done nobody can write to a."]
    strongest = ["Until the last row is done nobody can use b, not even to read it."]
    assert why(trigger, column) == why(column, trigger) == strongest
    same = ["Until the last row is done nobody can use a, not even to read it."]
    assert why(trigger, column.replace(" b ", " a ")) == why(column.replace(" b ", " a "), trigger) == same


def test_rows_from_a_query_take_long_only_where_it_may_read_many():
    tables = (
        *users(10**6, 10**9),
        TableFacts("kinds", "public", 5, 5),
        TableFacts("log", "public", 10**6, 10**9),
    )
    altered = Statement("ALTER TABLE users ADD COLUMN kind text", line=9)

    def is_found(query):
        facts = a_database(
            a_revision(altered, Statement(f"INSERT INTO log (a) {query}", line=10)), tables=tables
        )
        return "backfill_shares_the_transaction_of_a_schema_change" in rules_of(findings(facts))

    assert not is_found("SELECT a FROM kinds")
    assert not is_found("WITH k AS (SELECT a FROM kinds) SELECT a FROM k")
    assert is_found("SELECT a FROM users")
    assert is_found("SELECT a FROM kinds WHERE a IN (SELECT a FROM users)")
    assert is_found("WITH u AS (SELECT a FROM users) SELECT a FROM u")
    assert is_found("SELECT a FROM kinds, generate_series(1, 1000000) AS a")
    assert is_found("WITH users AS (SELECT a FROM users) SELECT a FROM users")


def test_a_function_of_the_application_that_is_handed_the_database_may_have_changed_a_column():
    made = a_revision(Statement("CREATE TABLE users (email text NOT NULL)", line=5), revision="r1")
    required = a_revision(Statement("ALTER TABLE users ALTER email SET NOT NULL", line=5), revision="r3")

    def found(**helper):
        between = a_revision(revision="r2", not_renderable="line 4 looks into the database", **helper)
        return "not_null_is_set_on_an_existing_column" in rules_of(
            findings(a_database(made, between, required))
        )

    assert not found()
    assert not found(calls=(Call("session.query", 5, arguments=(Argument("User"),)),))
    assert not found(calls=(Call("sqlalchemy.orm.Session", 5, arguments=(Argument("bind", "bind"),)),))
    assert found(calls=(Call("shop.schema.loosen", 5, arguments=(Argument("op.get_bind()"),)),))
