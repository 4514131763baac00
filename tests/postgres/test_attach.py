"""The application's own command in place of Alembic: planned, locked, told and verified like every other run."""

from __future__ import annotations

import sys

import pytest

from headway_contract.events import Planned, RevisionApplied, RevisionStarted
from headway_contract.request import WhenAhead
from support.commands import admin, application, attach, attach_plan, script
from support.runner import only_events

DONE = [
    "RunStarted", "DatabaseReached", "Planned", "LockAcquired", "Planned", "RevisionStarted", "RevisionApplied",
    "RevisionStarted", "RevisionApplied", "Verified",
]  # fmt: skip
UPGRADE = "command.upgrade(config, 'heads')"


@pytest.fixture
def project(tmp_path):
    return application(tmp_path).tables("a1", "a2")


def test_a_command_takes_the_database_to_head_with_all_events(project, database):
    run = attach(project, database.url(), admin(project))
    assert run.exit_code == 0, run.stderr
    assert run.kinds() == DONE
    assert [one.revision for one in run.of(RevisionApplied)] == ["a1", "a2"]
    assert all(one.committed for one in run.of(RevisionApplied))
    assert run.result.applied == ("a1", "a2")
    assert run.result.to_revision == ("a2",)
    assert database.tables() == {"alembic_version", "a1", "a2"}


def test_a_plan_by_the_command_changes_nothing(project, database):
    run = attach_plan(project, database.url(), admin(project))
    assert run.exit_code == 0, run.stderr
    (planned,) = run.result.plan.databases
    assert [one.revision for one in planned.pending] == ["a1", "a2"]
    assert all(one.file_sha256 for one in planned.pending)
    assert planned.target == ("a2",)
    assert database.tables() == set()


def test_with_nothing_pending_a_second_run_only_looks(project, database):
    command = admin(project)
    attach(project, database.url(), command)
    again = attach(project, database.url(), command)
    assert again.exit_code == 0, again.stderr
    assert again.of(RevisionStarted) == []
    assert again.kinds()[-1] == "Verified"


def test_plain_alembic_can_be_the_command(project, database):
    run = attach(project, database.url(), ("alembic", "upgrade", "head"))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)


def test_a_program_beside_the_interpreter_is_found_without_a_path(project, database):
    command = ("alembic", "upgrade", "head")
    run = attach(project, database.url(), command, environment={"PATH": "/usr/bin:/bin"})
    assert run.exit_code == 0, run.stderr


def test_without_a_url_the_application_finds_its_database_itself(project, database):
    environment = {"DATABASE_URL": database.url()}
    run = attach(project, "", admin(project), environment=environment, url_variable="", export_url_as="")
    assert run.exit_code == 0, run.stderr
    assert "a2" in database.tables()


@pytest.mark.parametrize(
    "body",
    [
        "exec {python} admin.py",
        "set -e\n{python} admin.py\necho done",
        "alembic current && alembic upgrade a1 && alembic upgrade head && alembic current",
    ],
)
def test_a_shell_script_may_start_alembic(project, database, body):
    admin(project)
    run = attach(project, database.url(), script(project, body.format(python=sys.executable)))
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1", "a2")
    assert [one.revision for one in run.of(RevisionApplied)] == ["a1", "a2"]


def test_a_command_that_starts_alembic_as_a_subprocess_without_our_descriptors_is_seen(project, database):
    body = "import subprocess\nsubprocess.run(['alembic', 'upgrade', 'head'], check=True)"
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert run.kinds() == DONE


def test_a_command_may_call_alembic_several_times(project, database):
    body = "command.current(config)\ncommand.upgrade(config, 'a1')\ncommand.upgrade(config, 'head')"
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1", "a2")


def test_a_command_may_only_look_between_its_upgrades(project, database):
    body = (
        "command.current(config)\ncommand.upgrade(config, 'head')\ncommand.current(config, check_heads=True)"
    )
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)


def test_the_target_of_the_command_is_where_the_run_leads(project, database):
    body = "command.upgrade(config, 'a1')"
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)
    assert run.of(Planned)[0].revisions == ("a1",)
    assert "a2" not in database.tables()


def test_a_database_past_the_commands_target_is_ahead(project, database):
    attach(project, database.url(), admin(project))
    older = admin(project, "command.upgrade(config, 'a1')")
    run = attach(project, database.url(), older)
    assert (run.exit_code, run.result.ahead) == (0, True)
    run = attach(project, database.url(), older, {"when_ahead": WhenAhead.FAIL})
    assert run.result.failure.name == "DatabaseAhead"
    assert "past the target a1" in run.result.failure.message


def test_tenants_in_schemas_are_each_migrated(project, database):
    database.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    project.write_env(
        """
        import os
        from alembic import context
        from sqlalchemy import create_engine, pool, text

        schema = context.config.attributes["schema"]
        with create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool).connect() as connection:
            connection.execute(text(f"SET search_path TO {schema}"))
            connection.commit()
            context.configure(connection=connection, version_table_schema=schema)
            with context.begin_transaction():
                context.run_migrations()
        """
    )
    body = """
    for schema in ('one', 'two'):
        config.attributes['schema'] = schema
        command.upgrade(config, 'head')
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    tables = database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'a2' ORDER BY 1")
    assert tables == [("one",), ("two",)]
    assert len(run.of(RevisionApplied)) == 4


def test_a_fresh_database_may_be_made_from_models_and_stamped(project, database):
    body = """
    import os
    from sqlalchemy import create_engine, text
    with create_engine(os.environ['DATABASE_URL']).begin() as connection:
        connection.execute(text('CREATE TABLE IF NOT EXISTS a1 (id int)'))
    command.stamp(config, 'head')
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert database.tables() == {"alembic_version", "a1"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("command.upgrade(config, '+1')", "relative target +1"),
        ("command.upgrade(config, 'a1')\ncommand.downgrade(config, 'base')", "would take a1 back"),
        ("command.downgrade(config, '-1')", "relative target -1"),
    ],
)
def test_a_command_that_cannot_be_planned_is_refused_and_nothing_is_done(project, database, body, words):
    attach(project, database.url(), admin(project, "command.upgrade(config, 'a1')"))
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "InvalidTarget", run.stderr
    assert words in run.result.failure.message
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]


def test_an_application_may_print_fork_and_use_threads(project, database):
    body = """
    import multiprocessing, sys, threading
    print('x' * 200_000)
    sys.__stdout__.write('y' * 200_000)
    child = multiprocessing.get_context('fork').Process(target=print, args=('forked',))
    child.start()
    child.join()
    worker = threading.Thread(target=command.upgrade, args=(config, 'head'))
    worker.start()
    worker.join()
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr[-2000:]
    assert only_events(run.stdout)
    assert "forked" in run.stderr
    assert run.kinds() == DONE


def test_processes_that_migrate_at_the_same_time_are_each_told(project, database):
    database.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    project.write_env(
        """
        import os
        from alembic import context
        from sqlalchemy import create_engine, pool, text

        schema = context.config.attributes["schema"]
        engine = create_engine(
            os.environ["DATABASE_URL"], poolclass=pool.NullPool, connect_args={"options": f"-csearch_path={schema}"}
        )
        with engine.connect() as connection:
            context.configure(connection=connection, version_table_schema=schema)
            with context.begin_transaction():
                context.run_migrations()
        """
    )
    body = """
    import multiprocessing
    def migrate(schema):
        config.attributes['schema'] = schema
        command.upgrade(config, 'head')
    workers = [multiprocessing.get_context('fork').Process(target=migrate, args=(name,)) for name in ('one', 'two')]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    sys.exit(any(worker.exitcode for worker in workers))
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    tables = database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'a2' ORDER BY 1")
    assert tables == [("one",), ("two",)]
    assert len(run.of(RevisionApplied)) == 4


def test_the_url_is_in_no_environment_but_under_the_users_own_name(project, database):
    seen = project.folder / "environment"
    body = f"open({str(seen)!r}, 'w').write(open('/proc/self/environ').read())\n{UPGRADE}"
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    where = database.address.split("@")[1]
    with_it = {pair.split("=")[0] for pair in seen.read_text().split("\0") if where in pair}
    assert with_it == {"DATABASE_URL", "URL_main"}, "the second is what plays the kubelet's own variable here"
    assert "HEADWAY_REQUEST" not in seen.read_text()


def test_what_keeps_a_look_read_only_is_gone_where_the_hook_is_loaded(project, database):
    body = f"import os\nopen('options', 'w').write(os.environ.get('PGOPTIONS', 'none'))\n{UPGRADE}"
    run = attach(project, database.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert (project.folder / "options").read_text() == "none"
    attach(project, database.url(), admin(project, body), environment={"PGOPTIONS": "-c jit=off"})
    assert (project.folder / "options").read_text() == "-c jit=off"
