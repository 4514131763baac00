"""A command that upgrades only when it must: seen by what it asks Alembic, else by the version table itself."""

from __future__ import annotations

import sys

import pytest

from headway_contract.events import RevisionApplied, Verified
from headway_contract.result import Outcome
from support.commands import ENV, admin, application, attach, attach_plan

UPGRADE = "command.upgrade(config, 'heads')"
CLICK = """
import os
import click
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

@click.group()
def cli():
    pass

@cli.command("migrate-if-needed")
def migrate_if_needed():
    config = Config("alembic.ini")
    history = ScriptDirectory.from_config(config)
    with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    if set(current) == set(history.get_heads()):
        click.echo("nothing to do")
        return
    command.upgrade(config, "heads")

if __name__ == "__main__":
    cli()
"""
OWN_QUERY = f"""
from sqlalchemy import create_engine, text, inspect
with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    known = inspect(connection).has_table("alembic_version")
    current = known and connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
if current != "a2":
    {UPGRADE}
"""


@pytest.fixture
def project(tmp_path):
    return application(tmp_path).tables("a1", "a2")


def click_program(project):
    (project.folder / "shop_admin.py").write_text(CLICK)
    return (sys.executable, "-m", "shop_admin", "migrate-if-needed")


def without_a_url(project, database, command):
    environment = {"DATABASE_URL": database.url()}
    return attach(project, "", command, environment=environment, url_variable="", export_url_as="")


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
def test_a_click_program_that_migrates_if_needed_goes_to_head_and_stays_there(project, database, driver):
    command = click_program(project)
    run = attach(project, database.url(driver), command)
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1", "a2")
    assert run.of(Verified)[-1].current == ("a2",)
    again = attach(project, database.url(driver), command)
    assert (again.exit_code, again.result.applied) == (0, ()), again.stderr
    assert again.result.to_revision == ("a2",)
    assert "nothing to do" in again.stderr


def test_so_does_one_whose_database_only_the_application_knows(project, database):
    command = click_program(project)
    for applied in (("a1", "a2"), ()):
        run = without_a_url(project, database, command)
        assert run.exit_code == 0, run.stderr
        assert run.result.applied == applied


def test_a_plan_of_it_with_nothing_pending_is_empty(project, database):
    command = click_program(project)
    attach(project, database.url(), command)
    (planned,) = attach_plan(project, database.url(), command).result.plan.databases
    assert (planned.failure, planned.current, planned.pending) == (None, ("a2",), ())


def test_what_another_attempt_has_done_of_its_plan_is_no_change_of_the_plan(project, database):
    command = click_program(project)
    planned = attach_plan(project, database.url(), command).result.plan.databases[0].planned
    attach(project, database.url(), command)
    run = attach(project, database.url(), command, planned=planned)
    assert run.exit_code == 0, run.stderr
    path = project.folder / project.scripts / "versions" / "a2.py"
    path.write_text(path.read_text() + "\n# another file\n")
    changed = attach(project, database.url(), command, planned=planned)
    assert changed.result.failure.name == "PlanChanged"


def test_a_shell_script_may_ask_by_alembics_own_command(project, database):
    body = """
    try:
        command.current(config, check_heads=True)
    except Exception:
        command.upgrade(config, 'heads')
    """
    for applied in (("a1", "a2"), ()):
        run = attach(project, database.url(), admin(project, body))
        assert run.exit_code == 0, run.stderr
        assert run.result.applied == applied


def test_with_a_query_of_its_own_the_database_is_looked_at_after_the_run(project, database):
    run = attach(project, database.url(), admin(project, OWN_QUERY))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert run.of(Verified)[-1].current == ("a2",)


def test_with_a_query_of_its_own_and_no_url_nobody_knows_what_is_there(project, database):
    run = without_a_url(project, database, admin(project, OWN_QUERY))
    assert run.result.failure.name == "NeverAttached", run.stderr


def test_with_a_query_of_its_own_and_nothing_pending_nobody_knows_its_head(project, database):
    command = admin(project, OWN_QUERY)
    attach(project, database.url(), command)
    again = attach(project, database.url(), command)
    assert again.result.failure.name == "NeverAttached", again.stderr
    assert "has to ask Alembic for the heads" in again.result.failure.kind.next_step


@pytest.mark.parametrize(
    "body",
    [
        "from alembic.script import ScriptDirectory\nScriptDirectory.from_config(config).get_heads()",
        "command.current(config)\ncommand.history(config)",
        """
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    MigrationContext.configure(connection).get_current_heads()
""",
    ],
)  # fmt: skip
def test_a_command_that_only_asks_is_no_success_while_something_is_pending(project, database, body):
    attach(project, database.url(), admin(project, "command.upgrade(config, 'a1')"))
    run = attach(project, database.url(), admin(project, f"import os\n{body}"))
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == "NeverAttached", run.stderr


def test_what_it_asks_of_another_database_or_version_table_does_not_count(project, make_database):
    asked, other = make_database(), make_database()
    attach(project, other.url(), click_program(project))
    body = CLICK.split("@click.group", maxsplit=1)[0] + (
        "history = ScriptDirectory.from_config(Config('alembic.ini'))\nhistory.get_heads()\n"
        f"with create_engine({other.url()!r}).connect() as connection:\n"
        "    MigrationContext.configure(connection).get_current_heads()\n"
    )
    run = attach(project, asked.url(), admin(project, body))
    assert run.result.failure.name == "NeverAttached", run.stderr
    run = attach(project, other.url(), admin(project, body), version_table="versions_of_the_shop")
    assert run.result.failure.name == "NeverAttached", run.stderr
    assert attach(project, other.url(), admin(project, body)).exit_code == 0


def test_it_may_ask_for_the_heads_of_the_database_first(project, database):
    attach(project, database.url(), click_program(project))
    body = """
    import os
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine
    with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current != ScriptDirectory.from_config(config).get_current_head():
        command.upgrade(config, "head")
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr


def test_an_error_after_asking_is_an_error(project, database):
    command = click_program(project)
    attach(project, database.url(), command)
    path = project.folder / "shop_admin.py"
    path.write_text(path.read_text().replace("        return\n", "        raise SystemExit(3)\n"))
    run = attach(project, database.url(), command)
    assert run.result.failure.name == "CommandFailed", run.stderr


ROLLED_BACK = ENV.replace(
    "        context.configure",
    "        connection.exec_driver_sql('SELECT 1')\n            context.configure",
)
ONCE_PER_PASS = """
import pathlib
calls = pathlib.Path("calls")
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
if len(calls.read_text()) < 3:
    command.upgrade(config, 'heads')
"""
"""Called for the look, for the run and for the verification, it upgrades in the first two: whatever they did."""


@pytest.mark.parametrize("has_url", [True, False])
def test_what_env_py_rolls_back_is_no_success_of_a_command_that_does_not_look_again(
    tmp_path, database, has_url
):
    project = application(tmp_path, ROLLED_BACK).tables("a1")
    command = admin(project, ONCE_PER_PASS)
    run = attach(project, database.url(), command) if has_url else without_a_url(project, database, command)
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == ("NotPersisted" if has_url else "NeverAttached"), run.stderr
    assert database.tables() == set()


def test_a_command_that_counts_its_calls_is_judged_by_the_database(project, database):
    run = attach(project, database.url(), admin(project, ONCE_PER_PASS))
    assert run.exit_code == 0, run.stderr
    assert [one.revision for one in run.of(RevisionApplied)] == ["a1", "a2"]


def test_tenants_of_which_each_is_migrated_if_needed_are_all_looked_at(project, database):
    database.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    project.write_env(
        """
        import os
        from alembic import context
        from sqlalchemy import create_engine, pool

        schema = context.config.attributes["schema"]
        engine = create_engine(
            os.environ["DATABASE_URL"], poolclass=pool.NullPool, connect_args={"options": f"-csearch_path={schema}"}
        )
        with engine.connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """
    )
    body = """
    import pathlib
    for schema in ('one', 'two'):
        config.attributes['schema'] = schema
        calls = pathlib.Path(schema)
        calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
        if len(calls.read_text()) < 3:
            command.upgrade(config, 'heads')
    if len(calls.read_text()) == 3:
        {last}
    """
    spoilt = admin(project, body.format(last="erase()").replace("import pathlib", ERASE), "spoilt.py")
    run = attach(project, database.url(), spoilt)
    assert run.result.failure.name == "NotPersisted", run.stderr
    assert (
        "two.alembic_version is empty or not there; the run had left it at a2" in run.result.failure.message
    )
    for name in ("one", "two"):
        (project.folder / name).unlink()
    run = attach(project, database.url(), admin(project, body.format(last="pass")))
    assert run.exit_code == 0, run.stderr


ERASE = """import pathlib
    import psycopg
    def erase():
        where = os.environ['DATABASE_URL'].replace('+psycopg', '')
        with psycopg.connect(where) as connection:
            connection.execute('DROP SCHEMA two CASCADE; CREATE SCHEMA two')"""
