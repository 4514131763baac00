"""A plan as people read it: from facts to locks, lines of text and SQL; nothing is run."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from headway_cli.plans.result import told_of
from headway_cli.plans.script import script
from headway_cli.plans.text import amount, lines
from headway_cli.plans.view import shown
from headway_contract.codec import encode
from headway_contract.facts import Call, DatabaseFacts, RevisionFacts, Statement, TableFacts
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_contract.wire import Envelope, sha256_of, split_document, to_line
from headway_operator.lint.lint import findings

ORDERS = TableFacts("orders", "public", 4_200_000, 1_100_000_000)


def revision(name, *statements, **options):
    told = tuple(one if isinstance(one, Statement) else Statement(one, 12) for one in statements)
    return RevisionFacts(name, f"title of {name}", file=f"versions/{name}.py", statements=told, **options)


def plan_of(*revisions, tables=(ORDERS,), dialect="postgresql", **options):
    facts = DatabaseFacts(dialect, "15.18", True, revisions, tables, bool(tables))
    pending = tuple(PendingRevision(one.revision, one.title) for one in revisions)
    return Plan((DatabasePlan("main", ("a0",), ("z9",), pending, facts=facts, **options),))


def view(*revisions, **options):
    return shown("shop", plan_of(*revisions, **options), findings)


def text(plan, width=120):
    return "\n".join(line.plain for line in lines(plan, width))


def statements(*sql, **options):
    return view(revision("a1", *sql), **options).databases[0].revisions[0].statements


def test_a_statement_tells_whom_it_makes_wait_and_how_large_the_table_is():
    said = text(view(revision("a1", "ALTER TABLE orders ADD COLUMN note text")))
    assert "main  PostgreSQL 15.18  at a0 → z9" in said
    assert "   1. a1  title of a1\n      ALTER TABLE orders ADD COLUMN note text\n" in said
    assert "locks orders (about 4.2M rows, 1.1 GB): reads and writes wait (ACCESS EXCLUSIVE)" in said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE INDEX i ON orders (id)", "writes wait (SHARE)"),
        ("CREATE INDEX CONCURRENTLY i ON orders (id)", "nobody waits (SHARE UPDATE EXCLUSIVE)"),
        ("UPDATE orders SET id = 1", "only who wants the same rows waits (ROW EXCLUSIVE)"),
        ("DROP INDEX orders_total", "the table of index orders_total: reads and writes wait"),
    ],
)
def test_each_lock_is_said_in_words(sql, said):
    assert said in text(view(revision("a1", sql)))


def test_several_locks_on_one_table_are_told_as_the_strongest():
    (statement,) = statements("ALTER TABLE orders VALIDATE CONSTRAINT c, DROP COLUMN b")
    assert [(one.table, one.mode) for one in statement.locks] == [("orders", "ACCESS EXCLUSIVE")]


def test_nobody_waits_for_a_table_that_the_plan_itself_makes():
    new = revision("a1", "CREATE TABLE fresh (id int)", "ALTER TABLE fresh RENAME TO newer")
    old = revision("a2", "ALTER TABLE newer ADD COLUMN a int, ADD FOREIGN KEY (a) REFERENCES orders (id)")
    first, second = view(new, old).databases[0].revisions
    assert [one.locks for one in first.statements] == [(), ()]
    assert [one.table for one in second.statements[0].locks] == ["orders"]


@pytest.mark.parametrize(
    ("sql", "dialect"), [("THIS IS NO SQL", "postgresql"), ("DROP TABLE orders", "mysql")]
)
def test_no_lock_is_told_of_what_cannot_be_read(sql, dialect):
    (statement,) = statements(sql, dialect=dialect)
    assert (statement.sql, statement.locks) == (sql, ())


def test_an_operation_of_headways_own_is_named_once_in_place_of_its_script_form():
    calls = (Call("headway.backfill", 12, 14),)
    plan = view(revision("a1", "UPDATE orders SET id = 1", "UPDATE orders SET id = 2", calls=calls))
    assert text(plan).count("backfill · in short steps that hold nobody up") == 1
    assert "UPDATE" not in text(plan)
    sql = list(script(plan))
    assert [line for line in sql if line.startswith("UPDATE")] == [
        "UPDATE orders SET id = 1;",
        "UPDATE orders SET id = 2;",
    ]
    assert sum("backfill (line 12): the form that a script has" in line for line in sql) == 1


def test_what_would_not_run_as_it_stands_is_a_comment_in_the_script():
    lost = Statement("UPDATE orders\nSET id = $1", 12, lost_parameters=True)
    cut = Statement("INSERT INTO orders VALUES (1, '", 13, is_cut=True)
    sql = list(
        script(
            view(
                revision("a1", lost, cut, "SELECT 1", not_renderable="line 14 needs what a statement returns")
            )
        )
    )
    start = sql.index("-- revision a1: title of a1")
    assert sql[start + 1 :] == [
        "-- Line 12: its values are known only when it runs.",
        "-- UPDATE orders",
        "-- SET id = $1",
        "-- Line 13: it is longer than what is told.",
        "-- INSERT INTO orders VALUES (1, '",
        "SELECT 1;",
        "-- Not everything is here: line 14 needs what a statement returns.",
    ]


def test_a_title_of_several_lines_cannot_leave_its_comment():
    told = RevisionFacts("a1", "one\nDROP TABLE orders", file="a1.py", statements=())
    assert not [line for line in script(view(told)) if line and not line.startswith("--")]


def test_the_marks_of_a_revision_are_shown():
    merged = revision("a1", "SELECT 1", down_revisions=("x", "y"), is_foreign=True, has_downgrade=False)
    said = text(view(merged, revision("a2", "SELECT 1", has_downgrade=False)))
    assert "a1  title of a1  [of another branch]  [merges x, y]\n" in said
    assert "a2  title of a2  [no way back]\n" in said
    pending = (PendingRevision("a1", "t", post_deploy=True),)
    waiting = shown("shop", Plan((DatabasePlan("main", pending=pending),)), findings)
    assert "[after the deploy]" in text(waiting)


def test_the_review_stands_below_its_revision_and_is_counted_in_the_end():
    plan = view(
        revision("a1", "CREATE INDEX i ON orders (id)"), revision("a2", "SELECT 1", not_renderable="it hangs")
    )
    said = text(plan)
    assert "Error: The index i on orders (4.2M rows) is built without CONCURRENTLY." in said
    assert "the rest is not known before it runs: it hangs" in said
    assert "1 error, 1 warning. Not everything is known of 1 revision: read its file." in said


def test_a_database_with_nothing_to_do_ahead_or_failed_says_so():
    failure = Failure("Unreachable", "no route to host")
    plan = Plan(
        (
            DatabasePlan("one", ("a1",), ("a1",)),
            DatabasePlan("two", ("b9",), ("a1",), ahead=True, notices=("It is ahead.",)),
            DatabasePlan("three", failure=failure),
        )
    )
    said = text(shown("shop", plan, findings))
    assert said.startswith("shop: the look at 1 of 3 databases failed\n")
    assert "one  at a1: nothing to do" in said
    assert "two  at b9, which is accepted: it is ahead of the target\n  note: It is ahead." in said
    told = f"{failure.kind.meaning} no route to host. {failure.kind.next_step}"
    assert f"✗ Unreachable: {told}" in " ".join(said.split())


def test_nothing_more_is_told_of_an_operation_whose_script_form_is_long():
    call = Call("headway.set_not_null_online", 12, 14)
    said = text(view(revision("a1", *(f"SELECT {number}" for number in range(100)), calls=(call,))))
    assert "set_not_null_online · in short steps that hold nobody up" in said
    assert "more" not in said


def test_only_the_first_statements_of_a_long_revision_are_in_the_text_and_all_in_the_script():
    plan = view(revision("a1", *(f"SELECT {number}" for number in range(100))))
    assert text(plan).count("SELECT") == 12
    assert "… 88 more: -o sql shows them" in text(plan)
    assert sum(line.startswith("SELECT") for line in script(plan)) == 100


def test_a_long_statement_is_one_line_with_its_end_left_out():
    said = text(view(revision("a1", "SELECT 1,\n  2" + ", 3" * 1000)), 400)
    (line,) = (line for line in said.splitlines() if "SELECT" in line)
    assert line.strip().startswith("SELECT 1, 2, 3")
    assert line.endswith("…")
    assert len(line) < 180


@given(st.integers(30, 200), st.lists(st.text("ab öß\n", max_size=60), max_size=3))
def test_no_line_is_wider_than_the_terminal_as_long_as_a_word_is_not(width, words):
    revisions = [revision(f"a{number}", f"SELECT '{word}'") for number, word in enumerate(words)]
    for line in lines(view(*revisions), width):
        assert isinstance(line, Text)
        assert "\n" not in line.plain
        if width >= 80:
            assert line.cell_len <= width


def test_numbers_are_short():
    assert [amount(one) for one in (0, 999, 1000, 4_200_000, 10**13)] == ["0", "999", "1.0k", "4.2M", "10.0T"]
    assert [amount(one, "B") for one in (8, 8192)] == ["8 B", "8.2 kB"]


def test_the_json_has_every_lock_and_finding():
    told = json.loads(json.dumps(encode(view(revision("a1", "CREATE INDEX i ON orders (id)")))))
    (found,) = told["databases"][0]["revisions"]
    assert found["statements"][0]["locks"] == [
        {"mode": "SHARE", "stops": "writes", "table": "orders", "rows": 4_200_000, "bytes": 1_100_000_000}
    ]
    assert found["findings"][0]["rule"] == "index_is_created_without_concurrently"


def test_a_database_that_could_not_be_looked_at_is_not_one_with_nothing_to_do():
    failed = DatabasePlan("audit", failure=Failure("DatabaseUnreachable", "refused"))
    (good,) = plan_of(revision("a1", "SELECT 1")).databases
    done = DatabasePlan("main", ("a1",), ("a1",))

    def head(*databases):
        return text(shown("shop", Plan(databases), findings)).splitlines()[0]

    assert head(failed) == "shop: the look at 1 of 1 databases failed"
    assert head(done, failed) == "shop: the look at 1 of 2 databases failed"
    assert head(good, failed) == "shop: 1 revision in 2 databases; the look at 1 of 2 databases failed"
    assert head(done) == "shop: nothing to do"


def test_facts_come_from_the_log_and_without_it_the_plan_is_told_without_them():
    plan = plan_of(revision("a1", "SELECT 1"))
    document = plan.to_json()
    log = "\n".join(["noise", *(to_line(Envelope(1, "", part)) for part in split_document(document))])
    result = RunResult(Outcome.SUCCEEDED, "r", plan=plan.without_facts(), plan_sha256=sha256_of(document))
    assert told_of(result, log, "shop").plan == plan
    assert told_of(result, "noise", "shop").plan == plan.without_facts()
    gone = told_of(RunResult(Outcome.SUCCEEDED, "r", plan_sha256="0" * 64), "noise", "shop")
    assert (gone.plan, gone.problem) == (None, "The plan was made, but its log is gone.")


def test_a_plan_that_could_not_be_made_has_a_reason_and_the_end_of_the_log():
    result = RunResult(Outcome.FAILED, "r", failure=Failure("AuthenticationFailed", 'role "me" is unknown'))
    failed = told_of(result, "one\ntwo", "shop")
    assert failed.problem.startswith("AuthenticationFailed: ")
    assert 'role "me" is unknown. ' in failed.problem
    assert "kubectl annotate dbmig shop " in failed.problem, "it is the plan of a resource in a cluster"
    assert failed.log == ("one", "two")
    assert told_of(None, "one", "shop").problem == "The plan's process ended without a result."
