"""A run that was planned does what the plan showed, or a rest of it, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.events import RevisionApplied
from headway_contract.exit_codes import ExitCode
from headway_contract.planned import Planned
from headway_contract.request import WhenAhead
from headway_contract.result import Outcome
from support.projects import Project, from_template
from support.runner import Run, migrate, plan

TENANTS = """
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    for tenant in ("t1", "t2"):
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET search_path = {tenant}")
            connection.commit()
            context.configure(connection=connection, version_table_schema=tenant)
            with context.begin_transaction():
                context.run_migrations()
"""


def planned(project: Project, database, **options) -> Planned:
    run = plan(project, {"main": database.url()}, **options)
    assert run.exit_code == 0, run.stderr
    found = run.result.plan.databases[0].planned
    assert found is not None
    return found


def refused(run: Run) -> str:
    assert run.result.outcome is Outcome.FAILED
    assert run.exit_code == ExitCode.BAD_HISTORY
    assert run.result.failure.name == "PlanChanged", run.result.failure
    assert run.of(RevisionApplied) == []
    return run.result.failure.message


def revision_file(project: Project, revision: str):
    return project.folder / project.scripts / "versions" / f"{revision}.py"


def test_what_was_planned_is_what_runs(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2")
    run = migrate(project, database.url(), planned=planned(project, database))
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1", "a2")
    assert database.tables() == {"alembic_version", "a1", "a2"}


@pytest.mark.parametrize("change", ["content", "another", "fewer", "target"])
def test_files_or_a_target_that_differ_from_the_plan_are_refused_before_anything_runs(
    tmp_path, database, change
):
    project = from_template(tmp_path).tables("a1", "a2")
    expected, target = planned(project, database), "heads"
    if change == "content":
        path = revision_file(project, "a1")
        path.write_text(path.read_text().replace("'a1', sa", "'a1_changed', sa"))
    elif change == "another":
        project.tables("a3")
    elif change == "fewer":
        revision_file(project, "a2").unlink()
    else:
        target = "a1"
    message = refused(migrate(project, database.url(), planned=expected, target=target))
    assert "not those that were planned" in message
    assert ("a1, a2, a3 would run now" if change == "another" else "would run now") in message
    assert database.tables() == set()


def test_nothing_pending_is_no_success_when_the_planned_revision_is_gone_from_the_image(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    assert migrate(project, database.url()).exit_code == 0
    expected = planned(project.tables("a2"), database)
    revision_file(project, "a2").unlink()
    assert "nothing would run now" in refused(migrate(project, database.url(), planned=expected))


def test_a_run_goes_on_with_what_another_one_left_of_the_plan(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2", "a3")
    expected = planned(project, database)
    assert migrate(project, database.url(), target="a2").result.to_revision == ("a2",)
    run = migrate(project, database.url(), planned=expected)
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a3",)
    again = migrate(project, database.url(), planned=expected)
    assert (again.exit_code, again.result.applied, again.result.to_revision) == (0, (), ("a3",))


def test_a_branch_whose_version_was_lost_since_the_plan_is_not_run_again(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    project.revision("b1", "op.create_table('b1', sa.Column('id', sa.Integer))", after=None)
    assert migrate(project, database.url()).exit_code == 0
    project.revision("a2", "op.create_table('a2', sa.Column('id', sa.Integer))", after="a1")
    expected = planned(project, database)
    database.execute("DELETE FROM alembic_version WHERE version_num = 'b1'")
    message = refused(migrate(project, database.url(), planned=expected))
    assert "would now also run b1" in message
    assert "a2" not in database.tables()


def test_a_database_that_was_taken_back_since_the_plan_is_refused(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2", "a3")
    assert migrate(project, database.url(), target="a2").exit_code == 0
    expected = planned(project, database)
    options = {"when_ahead": WhenAhead.DOWNGRADE}
    way_back = planned(project, database, target="a1", options=options)
    back = migrate(project, database.url(), target="a1", options=options, planned=way_back)
    assert back.result.to_revision == ("a1",)
    message = refused(migrate(project, database.url(), planned=expected))
    assert "now at a1" in message
    assert "started from a2" in message
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


def test_a_branch_that_somebody_else_applied_since_the_plan_is_refused(tmp_path, database):
    project = from_template(tmp_path).revision("s1", after=None, label="shop")
    project.revision("c1", after=None, label="crm")
    expected = planned(project, database, target="shop@head")
    assert migrate(project, database.url(), target="crm@head").exit_code == 0
    message = refused(migrate(project, database.url(), target="shop@head", planned=expected))
    assert "now at c1" in message
    assert "an empty version table" in message


def test_a_revision_that_the_image_does_not_know_is_no_way_on_from_the_plan(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2")
    assert migrate(project, database.url(), target="a1").exit_code == 0
    expected = planned(project, database)
    database.execute("UPDATE alembic_version SET version_num = 'ffff'")
    assert "now at ffff" in refused(migrate(project, database.url(), planned=expected))


def test_the_heads_are_compared_again_under_the_lock(tmp_path, database):
    """They move after the first look: here by an env.py that is not read-only any more when the run starts."""
    project = from_template(tmp_path).tables("a1", "a2")
    assert migrate(project, database.url(), target="a1").exit_code == 0
    expected = planned(project, database)
    project.env.write_text(
        project.env.read_text().replace(
            "        context.configure(",
            "        if connection.exec_driver_sql('SHOW default_transaction_read_only').scalar() == 'off':\n"
            "            connection.exec_driver_sql('DELETE FROM alembic_version')\n"
            "        connection.commit()\n"
            "        context.configure(",
            1,
        )
    )
    run = migrate(project, database.url(), planned=expected)
    assert "now at an empty version table" in refused(run)
    assert "LockAcquired" in run.kinds()
    assert "a2" not in database.tables()


@pytest.mark.parametrize("target", ["+1", "grow@+1"])
def test_a_relative_target_means_the_planned_revision_however_often_it_is_tried(tmp_path, database, target):
    project = from_template(tmp_path).revision("a1", label="grow").tables("a2", "a3")
    expected = planned(project, database, target=target)
    assert expected.target == ("a1",)
    for applied in (("a1",), ()):
        run = migrate(project, database.url(), target=target, planned=expected)
        assert run.exit_code == 0, run.stderr
        assert run.result.applied == applied
        assert run.result.to_revision == ("a1",)


def test_a_planned_downgrade_goes_back_once_and_only_along_the_plan(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2", "a3")
    assert migrate(project, database.url()).exit_code == 0
    options = {"when_ahead": WhenAhead.DOWNGRADE}
    expected = planned(project, database, target="a1", options=options)
    assert expected.downgrade
    for applied in (("a3", "a2"), ()):
        run = migrate(project, database.url(), target="a1", options=options, planned=expected)
        assert run.exit_code == 0, run.stderr
        assert (run.result.applied, run.result.to_revision) == (applied, ("a1",))
    database.execute("DELETE FROM alembic_version")
    run = migrate(project, database.url(), target="a1", options=options, planned=expected)
    assert "now at an empty version table" in refused(run)


def test_tenants_at_different_revisions_are_held_to_one_plan(tmp_path, database):
    project = from_template(tmp_path).write_env(TENANTS)
    project.revision("a1", "op.execute('CREATE TABLE one ()')")
    project.revision("a2", "op.execute('CREATE TABLE two ()')")
    database.execute("CREATE SCHEMA t1; CREATE SCHEMA t2")
    database.execute("CREATE TABLE t1.alembic_version (version_num varchar(32)); CREATE TABLE t1.one ()")
    database.execute("INSERT INTO t1.alembic_version VALUES ('a1')")
    expected = planned(project, database)
    assert expected.starts == ((), ("a1",))
    run = migrate(project, database.url(), planned=expected)
    assert run.exit_code == 0, run.stderr
    assert database.scalar("SELECT count(*) FROM pg_tables WHERE tablename = 'two'") == 2
    changed = replace(expected, digest="sha256:0")
    refused(migrate(project, database.url(), planned=changed))


def test_a_relative_target_that_means_two_revisions_in_two_schemas_is_refused(tmp_path, database):
    project = from_template(tmp_path).write_env(TENANTS).revision("a1").revision("a2")
    database.execute("CREATE SCHEMA t1; CREATE SCHEMA t2")
    database.execute("CREATE TABLE t1.alembic_version (version_num varchar(32))")
    database.execute("INSERT INTO t1.alembic_version VALUES ('a1')")
    run = migrate(project, database.url(), target="+1")
    assert run.exit_code == ExitCode.BAD_HISTORY
    assert run.result.failure.name == "InvalidTarget"
    assert "+1 means a1 in one and a2 in another" in run.result.failure.message
    assert database.rows("SELECT version_num FROM t1.alembic_version") == [("a1",)]
