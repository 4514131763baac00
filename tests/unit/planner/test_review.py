"""What the lint finds in a plan: told in the status, as an event, and under Enforce a closed gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headway_contract.facts import DatabaseFacts, Ignore, RevisionFacts, Statement, TableFacts
from headway_contract.result import Plan
from headway_operator.api.migration import APPROVE_ANNOTATION, LintSettings
from headway_operator.planner.news import news, news_of_lint
from headway_operator.planner.review import TEXT_CHARACTERS
from headway_operator.planner.snapshot import Stage
from support.builders import a_migration, a_plan, a_result
from support.judges import argo, kstatus
from support.model import ModelCluster

INDEX = "index_is_created_without_concurrently"
BUILD = "CREATE INDEX idx ON orders (status)"
DROP = "ALTER TABLE orders DROP COLUMN note"


def told(*sql: str, rows: int = 5_000_000) -> DatabaseFacts:
    """Of one revision ``a1`` that runs these statements over a table of so many rows."""
    statements = tuple(Statement(text, line=10 + number) for number, text in enumerate(sql))
    revision = RevisionFacts("a1", file="versions/a1.py", statements=statements)
    tables = (TableFacts("orders", "public", rows, rows * 100),)
    return DatabaseFacts("postgresql", "17.2", revisions=(revision,), tables=tables, tables_known=True)


def planned(
    facts: DatabaseFacts | None, mode: str = "Enforce", ignore: tuple[str, ...] = (), **spec: Any
) -> ModelCluster:
    """A resource whose plan was just made, and told these facts."""
    cluster = ModelCluster(a_migration(lint=LintSettings(mode, ignore), **spec))
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(plan=with_facts(facts)))
    cluster.reconcile()
    return cluster


def with_facts(facts: DatabaseFacts | None) -> Plan:
    (one,) = a_plan(main=["a1"]).databases
    return Plan((replace(one, facts=facts),))


def started(cluster: ModelCluster) -> list[Stage]:
    cluster.reconcile()
    return [job.stage for job in cluster.active]


def set_lint(cluster: ModelCluster, **lint: Any) -> None:
    assert cluster.resource.spec is not None
    spec = replace(cluster.resource.spec, lint=replace(cluster.resource.spec.lint, **lint))
    cluster.migration = replace(cluster.resource, spec=spec, generation=cluster.resource.generation + 1)


def test_a_warning_is_told_with_its_place_and_holds_nothing_up():
    cluster = planned(told(BUILD), mode="Warn")
    assert started(cluster) == [Stage.MIGRATE]
    plan = cluster.status.plan
    assert (plan.warnings, [(one.rule, one.severity, one.count) for one in plan.findings]) == (
        1,
        [(INDEX, "Error", 1)],
    )
    assert plan.findings[0].first.startswith(
        "main: a1 (versions/a1.py, line 10): The index idx on orders (5.0M rows)"
    )


def test_the_pending_revision_has_its_warnings():
    (warning,) = (
        planned(told(BUILD), approval="Required", mode="Warn").status.databases[0].pending[0].warnings
    )
    assert warning.startswith(f"Error {INDEX}, line 10: The index idx")


def test_an_error_under_enforce_fails_before_anything_is_changed_and_says_what_to_do():
    cluster = planned(told(BUILD))
    assert started(cluster) == []
    ready = cluster.status.condition("Ready")
    assert (ready.status, ready.reason) == ("False", "LintFailed")
    for text in (
        "1 finding of severity Error",
        INDEX,
        "line 10",
        "create_index_concurrently",
        "spec.lint.mode: Warn",
    ):
        assert text in ready.message
    assert (kstatus(cluster.status, 1), argo(cluster.status, 1)) == ("Failed", "Degraded")


def test_of_many_findings_the_message_tells_how_many_the_first_two_and_where_all_are():
    builds = [f"CREATE INDEX i{number} ON orders (c{number})" for number in range(8)]
    types = "ALTER TABLE orders ALTER COLUMN total TYPE numeric"
    check = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)"
    cluster = planned(told(*builds, types, check, "ALTER TABLE orders RENAME COLUMN note TO remark", DROP))
    ready = cluster.status.condition("Ready")
    severe = [one for one in cluster.status.plan.findings if one.severity == "Error"]
    assert len(severe) > 2
    count = sum(one.count for one in severe)
    assert ready.message.startswith(
        f"{count} findings of severity Error, 2 findings of severity Warning, which holds nothing up. index_is"
    )
    assert ready.message.count("main: a1 (") == 2
    assert (
        "All, each with its safe form: headway plan shop; one of each rule: status.plan.findings. Change the"
        in ready.message
    )
    assert ready.message.endswith("spec.lint.mode: Warn all of them.")
    assert "…" not in ready.message.replace("because ….", "")
    assert len(ready.message) < 800


def test_a_plan_that_nobody_looked_at_says_the_command_whole():
    message = planned(None).status.condition("Ready").message
    assert "Plan anew: kubectl annotate dbmig shop headway.dev/retry=" in message


def test_findings_that_end_the_run_are_told_by_one_event():
    cluster = planned(told(BUILD))
    before, lint = a_migration().status, cluster.resource.spec.lint
    assert news_of_lint(before, cluster.status, lint, "shop") == ()
    (event,) = [one for one in news(before, cluster.status, 4, "shop") if one.warning]
    assert (event.reason, event.message) == ("LintFailed", cluster.status.condition("Ready").message)


def test_enforce_lets_warnings_and_small_tables_pass():
    assert started(planned(told(DROP))) == [Stage.MIGRATE]
    assert started(planned(told(BUILD, rows=10))) == [Stage.MIGRATE]


def test_no_rule_is_asked_with_never():
    cluster = planned(told(BUILD), mode="Never")
    assert started(cluster) == [Stage.MIGRATE]
    assert (cluster.status.plan.warnings, cluster.status.plan.findings) == (None, ())


@pytest.mark.parametrize("lint", [{"mode": "Warn"}, {"ignore": (INDEX,)}, {"mode": "Never"}])
def test_turning_the_rule_or_the_enforcement_off_opens_the_gate_without_another_plan(lint):
    cluster = planned(told(BUILD))
    set_lint(cluster, **lint)
    assert started(cluster) == [Stage.MIGRATE]
    assert cluster.status.condition("Ready").reason == "Migrating"


def test_an_ignored_rule_counts_no_more():
    cluster = planned(told(BUILD, DROP), ignore=(INDEX,))
    assert (cluster.status.plan.warnings, started(cluster)) == (1, [Stage.MIGRATE])


def test_what_nobody_looked_at_is_not_let_pass_under_enforce():
    cluster = planned(None)
    assert started(cluster) == []
    ready = cluster.status.condition("Ready")
    assert ready.reason == "LintFailed"
    assert "have not been looked at" in ready.message
    assert started(planned(None, mode="Warn")) == [Stage.MIGRATE]


def not_rendered(*ignores: Ignore, dialect: str = "postgresql") -> DatabaseFacts:
    """Of a revision that goes on with what it has read."""
    revision = RevisionFacts(
        "a1", file="versions/a1.py", not_renderable="it reads rows, line 12", ignores=tuple(ignores)
    )
    return DatabaseFacts(dialect, "17.2", revisions=(revision,), tables_known=True)


UNREADABLE = told("ALTER TABLE orders MODIFY note TEXT")


@pytest.mark.parametrize("facts", [not_rendered(), UNREADABLE])
def test_what_no_rule_could_judge_waits_under_enforce_for_a_word_of_a_person(facts):
    cluster = planned(facts)
    assert started(cluster) == []
    ready = cluster.status.condition("Ready")
    assert (ready.status, ready.reason) == ("False", "LintFailed")
    for text in ("1 place that no rule could judge. ", "headway: ignore", "spec.plan.approval: Required"):
        assert text in ready.message
    assert started(planned(facts, mode="Warn")) == [Stage.MIGRATE]


def test_a_comment_with_a_reason_or_the_rule_in_ignore_lets_it_pass():
    rule = "revision_is_not_rendered"
    assert started(planned(not_rendered(Ignore(rule, "it writes a table of ten rows", 1, True)))) == [
        Stage.MIGRATE
    ]
    assert started(planned(not_rendered(Ignore(rule, "", 1, True)))) == [], "a word why is asked for"
    assert started(planned(not_rendered(), ignore=(rule,))) == [Stage.MIGRATE]


def test_what_no_rule_could_judge_is_named_to_whoever_approves_and_passes_with_the_approval():
    cluster = planned(not_rendered(), approval="Required")
    assert started(cluster) == []
    waiting = cluster.status.condition("Reconciling")
    assert waiting.reason == "WaitingForApproval"
    assert "1 place that no rule could judge: main: a1 (versions/a1.py)" in waiting.message
    assert (
        "headway plan shop; one of each rule: status.plan.findings. To approve it: kubectl annotate"
        in waiting.message
    )
    cluster.annotate(APPROVE_ANNOTATION, cluster.status.plan.digest)
    assert started(cluster) == [Stage.MIGRATE]


def test_errors_beside_it_are_not_approved():
    both = told(BUILD, "ALTER TABLE orders MODIFY note TEXT")
    assert planned(both, approval="Required").status.condition("Ready").reason == "LintFailed"
    message = planned(both).status.condition("Ready").message
    assert "1 finding of severity Error, 1 place that no rule could judge. " in message


def test_nothing_waits_where_the_sql_of_a_database_is_never_read():
    assert started(planned(not_rendered(dialect="mysql"))) == [Stage.MIGRATE]


def test_a_forbidden_plan_asks_nobody_for_an_approval():
    cluster = planned(told(BUILD), approval="Required")
    assert cluster.status.condition("Ready").reason == "LintFailed"


def test_the_findings_of_a_plan_are_one_event():
    cluster = planned(told(BUILD, DROP), mode="Warn")
    before = a_migration().status
    lint = cluster.resource.spec.lint
    (event,) = news_of_lint(before, cluster.status, lint, "shop")
    assert (event.reason, event.warning) == ("LintFindings", True)
    assert INDEX in event.message
    assert "column_is_dropped" in event.message
    assert news_of_lint(cluster.status, cluster.status, lint, "shop") == ()
    assert news_of_lint(before, planned(told("SELECT 1"), mode="Warn").status, lint, "shop") == ()


def test_many_findings_stay_within_the_bounds_of_the_schema():
    drops = tuple(f"ALTER TABLE orders DROP COLUMN c{number}" for number in range(200))
    cluster = planned(
        told(
            *drops, "CREATE INDEX " + "i" * 60 + " ON orders (" + ", ".join("c" * 60 for _ in range(30)) + ")"
        ),
        mode="Warn",
        approval="Required",
    )
    status = cluster.status
    assert status.plan.warnings == 201
    assert len(status.databases[0].pending[0].warnings) == 32
    assert all(len(one.first) <= TEXT_CHARACTERS for one in status.plan.findings)
