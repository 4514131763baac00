"""Applications of several frameworks, each migrated by its own command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from headway_contract.events import RevisionApplied
from support.commands import PROGRAMS, application, attach, attach_plan, variables
from support.projects import Project
from support.runner import database_request, request_for, run_runner

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask"
FLASK = ("flask", "db", "upgrade")
CLICK = """
import click
from alembic import command
from alembic.config import Config

@click.group()
def cli():
    pass

@cli.command()
@click.option("--to", default="heads")
def migrate(to):
    command.upgrade(Config("alembic.ini"), to)
    click.echo("migrated")

if __name__ == "__main__":
    cli()
"""
TYPER = """
from typing import Annotated
import typer
from alembic import command
from alembic.config import Config

app = typer.Typer()

@app.callback()
def shop():
    pass

@app.command()
def migrate(to: Annotated[str, typer.Option(help="A revision.")] = "heads"):
    command.upgrade(Config("alembic.ini"), to)
    typer.secho("migrated", fg=typer.colors.GREEN)

@app.command()
def broken():
    command.upgrade(Config("alembic.ini"), "heads")
    raise typer.Exit(3)

if __name__ == "__main__":
    app()
"""
ASYNC = """
import asyncio
import os
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

def upgrade(connection):
    config = Config("alembic.ini")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()

asyncio.run(main())
"""
ENV_OF_A_GIVEN_CONNECTION = """
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
"""


def flask_example(folder):
    return Project(Path(shutil.copytree(EXAMPLE, folder / "flask")))


def test_the_flask_example_goes_to_head_by_its_own_command(tmp_path, database):
    project = flask_example(tmp_path)
    planned = attach_plan(project, database.url(), FLASK)
    assert [one.revision for one in planned.result.plan.databases[0].pending] == [
        "create_users",
        "add_user_email",
    ]
    assert database.tables() == set()
    run = attach(project, database.url(), FLASK)
    assert run.exit_code == 0, run.stderr
    assert [one.revision for one in run.of(RevisionApplied)] == ["create_users", "add_user_email"]
    assert run.result.to_revision == ("add_user_email",)
    assert database.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_user_email'::regclass")


def test_without_the_command_flask_migrate_has_no_application(tmp_path, database):
    project = flask_example(tmp_path)
    request = request_for(database_request(config="migrations/alembic.ini"))
    (project.folder / "migrations" / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    run = run_runner(project, request, {"main": database.url()})
    assert run.result.failure.name == "ProjectFailed"
    assert "application context" in run.result.failure.message


def test_a_project_as_flask_migrate_makes_it_goes_to_head(tmp_path, database):
    shutil.copy(EXAMPLE / "app.py", tmp_path)
    environment = variables(DATABASE_URL=database.url())
    subprocess.run(
        [PROGRAMS / "flask", "db", "init"], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    project = Project(tmp_path).tables("a1", "a2")
    run = attach(project, database.url(), FLASK)
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert run.kinds()[-1] == "Verified"


def test_a_click_program_goes_to_the_target_that_it_is_given(tmp_path, database):
    project = application(tmp_path).tables("a1", "a2")
    (tmp_path / "shop_admin.py").write_text(CLICK)
    run = attach(project, database.url(), (sys.executable, "-m", "shop_admin", "migrate", "--to", "a1"))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)
    assert "migrated" in run.stderr


def test_a_typer_program_goes_to_head_and_its_exit_code_counts(tmp_path, database):
    project = application(tmp_path).tables("a1", "a2")
    (tmp_path / "shop_admin.py").write_text(TYPER)
    command = (sys.executable, "-m", "shop_admin")
    planned = attach_plan(project, database.url(), (*command, "migrate")).result.plan.databases[0]
    assert [one.revision for one in planned.pending] == ["a1", "a2"]
    run = attach(project, database.url(), (*command, "migrate", "--to", "a1"))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)
    assert "migrated" in run.stderr
    run = attach(project, database.url(), (*command, "broken"))
    assert (run.result.failure.name, run.result.to_revision) == ("CommandFailedAfterwards", ("a2",)), (
        run.stderr
    )


def test_a_revision_that_fails_in_a_typer_program_is_told_although_typer_handles_the_exception(
    tmp_path, database
):
    project = application(tmp_path).tables("a1").revision("a2", "op.execute('SELECT * FROM nowhere')")
    (tmp_path / "shop_admin.py").write_text(TYPER)
    run = attach(project, database.url(), (sys.executable, "-m", "shop_admin", "migrate"))
    assert (run.result.failure.name, run.result.failure.revision) == ("RevisionFailed", "a2"), run.stderr
    assert run.result.to_revision == ("a1",)


def test_an_asyncio_program_with_asyncpg_goes_to_head(tmp_path, database):
    project = application(tmp_path, ENV_OF_A_GIVEN_CONNECTION).tables("a1", "a2")
    (tmp_path / "manage.py").write_text(ASYNC)
    run = attach(project, database.url("asyncpg"), (sys.executable, "manage.py"))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert [one.revision for one in run.of(RevisionApplied)] == ["a1", "a2"]
