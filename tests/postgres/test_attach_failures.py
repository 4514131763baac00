"""What goes wrong with an application's own command has a name, and is never a success."""

from __future__ import annotations

import sys
import textwrap

import pytest

from headway_contract.events import PassRetried, RevisionStarted
from headway_contract.result import Outcome
from support.commands import ENV, admin, application, attach, attach_plan, script

UPGRADE = "command.upgrade(config, 'heads')"


@pytest.fixture
def project(tmp_path):
    return application(tmp_path).tables("a1", "a2")


def test_a_command_that_is_not_there_or_not_executable_is_told(project, database):
    missing = attach_plan(project, database.url(), ("shop-admin", "migrate"))
    assert missing.result.failure.name == "CommandNotFound"
    assert missing.result.failure.message == "shop-admin cannot be started: No such file or directory."
    (project.folder / "migrate.sh").write_text("#!/bin/sh\n")
    refused = attach_plan(project, database.url(), ("./migrate.sh",))
    assert refused.result.failure.message == "./migrate.sh cannot be started: Permission denied."
    assert refused.exit_code == 78


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [
        ("print('nothing to do here')", "NeverAttached", "Alembic was not seen to upgrade"),
        ("sys.exit(3)", "CommandFailed", "exit code 3 before Alembic looked"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "CommandFailed", "ended by signal 9"),
        ("from alembic.script import ScriptDirectory\nScriptDirectory.from_config(config).get_heads()",
         "NeverAttached", "Alembic was not seen to upgrade"),
        ("command.history(config)\ncommand.current(config)", "NeverAttached", "Alembic was not seen to upgrade"),
    ],
)  # fmt: skip
def test_a_command_in_which_alembic_does_not_upgrade_is_a_failure(project, database, body, name, words):
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == name, run.stderr
    assert words in run.result.failure.message
    assert database.tables() == set()


@pytest.mark.parametrize("option", ["-I", "-E", "-S", "-sE"])
def test_a_python_that_would_load_no_hook_is_not_even_started(project, database, option):
    interpreter, program = admin(project, f"open('started', 'w')\n{UPGRADE}")
    run = attach(project, database.url(), (interpreter, option, program))
    assert run.result.failure.name == "NeverAttached", run.stderr
    code = (project.folder / program).read_text()
    (project.folder / "migrate").write_text(f"#!{interpreter} {option}\n{code}")
    (project.folder / "migrate").chmod(0o755)
    run = attach(project, database.url(), ("./migrate",))
    assert "which loads no hook; it was not started" in run.result.failure.message
    assert not (project.folder / "started").exists()


@pytest.mark.parametrize(
    "way",
    ["{python} -I admin.py", "env -u PYTHONPATH {python} admin.py", "unset PYTHONPATH; {python} admin.py"],
)
def test_a_python_that_hides_from_the_hook_is_a_failure_and_its_look_cannot_write(project, database, way):
    admin(project)
    run = attach(project, database.url(), script(project, way.format(python=sys.executable)))
    assert run.result.failure.name == "NeverAttached", run.stderr
    assert "no Python that it started has loaded the hook" in run.result.failure.message
    assert run.result.outcome is Outcome.FAILED
    assert database.tables() == set()


def test_a_hook_that_cannot_reach_the_runner_lets_alembic_do_nothing(project, database):
    body = f"import os\nos.environ['HEADWAY_ATTACH'] = '77:1:0:0:78:79'\nos.setuid and {UPGRADE}"
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "CommandFailed", run.stderr
    assert database.tables() == set()


def test_an_exit_code_after_all_revisions_is_told_apart_and_the_revisions_stay(project, database):
    body = f"{UPGRADE}\nsys.exit(4)"
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "CommandFailedAfterwards", run.stderr
    assert "exit code 4" in run.result.failure.message
    assert (run.result.to_revision, run.result.pending_count) == (("a2",), 0)
    assert run.result.applied == ("a1", "a2")
    again = attach(project, database.url(), admin(project, body))
    assert again.result.outcome is Outcome.SUCCEEDED


def test_an_exit_code_between_revisions_can_be_tried_again(project, database):
    body = "command.upgrade(config, 'a1')\nopen('reached', 'x')\ncommand.upgrade(config, 'a2')"
    first = attach(project, database.url(), admin(project, body))
    (project.folder / "reached").unlink()
    assert first.result.failure.name == "CommandFailed", first.stderr
    assert first.result.failure.kind.retry


def test_an_exception_that_the_command_swallows_is_a_failure(project, database):
    project.revision("a3", "op.execute('ALTER TABLE nowhere ADD COLUMN x int')")
    body = f"try:\n    {UPGRADE}\nexcept Exception:\n    pass"
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "RevisionFailed", run.stderr
    assert run.result.failure.revision == "a3"
    assert run.result.to_revision == ("a2",)


def test_an_exception_that_is_swallowed_before_another_upgrade_is_a_failure_too(project, database):
    project.revision("a3", "op.execute('ALTER TABLE nowhere ADD COLUMN x int')")
    body = f"try:\n    {UPGRADE}\nexcept Exception:\n    command.upgrade(config, 'a1')"
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "Swallowed", run.stderr
    assert "nowhere" in run.result.failure.message
    assert run.result.failure.revision == "a3"


def test_what_the_command_hid_before_it_ended_with_an_error_is_told(tmp_path, database):
    gone = 'if context.config.attributes["tenant"] == "gone":\n    raise LookupError("no tenant")\n'
    env = f"from alembic import context\n{gone}{textwrap.dedent(ENV)}"
    project = application(tmp_path, env).tables("a1")
    body = """
    failed = False
    for config.attributes["tenant"] in ("gone", "there"):
        try:
            command.upgrade(config, "heads")
        except LookupError:
            failed = True
    sys.exit(failed)
    """
    run = attach(project, database.url(), admin(project, body))
    assert run.result.failure.name == "ProjectFailed", run.stderr
    assert "no tenant" in run.result.failure.message
    assert run.result.to_revision == ("a1",)


GONE = f"""
from alembic import context
import pathlib

tenant = context.config.attributes.get("tenant") or context.get_x_argument(as_dictionary=True).get("tenant")
if tenant == "gone":
    raise LookupError("no tenant")
if tenant == "late":
    tries = pathlib.Path("tries")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if len(tries.read_text()) % 2:
        raise LookupError("no tenant yet")
{textwrap.dedent(ENV)}
"""
"""For one tenant it ends before it looks, always; for another one at each first try."""
HIDES = """
for config.attributes["tenant"] in ("{tenant}", "there"):
    try:
        command.upgrade(config, "heads")
    except LookupError:
        pass
"""


def test_an_upgrade_that_ended_before_it_looked_is_no_success_though_the_command_hides_it(tmp_path, database):
    project = application(tmp_path, GONE).tables("a1")
    run = attach(project, database.url(), admin(project, HIDES.format(tenant="gone")))
    assert run.result.outcome is Outcome.FAILED
    assert run.result.failure.name == "ProjectFailed", run.stderr
    assert "no tenant" in run.result.failure.message
    assert "ended with exit code 0 as if all were well" in run.result.failure.message
    planned = attach_plan(project, database.url(), admin(project, HIDES.format(tenant="gone")))
    assert planned.result.failure.name == "ProjectFailed", planned.stderr


@pytest.mark.parametrize("then", ["alembic upgrade heads", "alembic current --check-heads"])
def test_nor_is_one_that_a_shell_hides_before_another_one_or_a_question(tmp_path, database, then):
    project = application(tmp_path, GONE).tables("a1")
    attach(project, database.url(), script(project, "alembic upgrade heads"))
    run = attach(
        project, database.url(), script(project, f"alembic -x tenant=gone upgrade heads || true\n{then}")
    )
    assert run.result.failure.name == "ProjectFailed", run.stderr
    assert "no tenant" in run.result.failure.message


@pytest.mark.parametrize("is_shell", [False, True])
def test_one_that_the_command_tries_again_is_made_good(tmp_path, database, is_shell):
    project = application(tmp_path, GONE).tables("a1")
    retries = """
    config.attributes["tenant"] = "late"
    try:
        command.upgrade(config, "heads")
    except LookupError:
        command.upgrade(config, "heads")
    """
    in_a_shell = "until alembic -x tenant=late upgrade heads; do sleep 0.1; done"
    run = attach(
        project, database.url(), script(project, in_a_shell) if is_shell else admin(project, retries)
    )
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)


CHANGES_ITS_CONFIGURATION = f"""
import os
from alembic import context

context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))
os.environ["SHOP_PROCESS"] = str(os.getpid())
try:
    open("tried", "x").close()
except FileExistsError:
    os.unlink("tried")
else:
    raise LookupError("not ready yet")
{textwrap.dedent(ENV)}
"""
"""Fails at each first try."""


@pytest.mark.parametrize("config", ["config", "Config('alembic.ini')"], ids=["of the same", "of another"])
def test_so_is_one_whose_env_py_changes_configuration_and_environment(tmp_path, database, config):
    project = application(tmp_path, CHANGES_ITS_CONFIGURATION).tables("a1")
    retries = f"""
    for _ in range(2):
        try:
            command.upgrade({config}, "heads")
            break
        except LookupError:
            pass
    """
    run = attach(project, database.url(), admin(project, retries))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)


@pytest.mark.parametrize("is_shell", [False, True])
def test_so_is_one_that_falls_back_on_another_target(tmp_path, database, is_shell):
    project = application(tmp_path).tables("a1").tables("b1", after=None)
    falls_back = """
    from alembic.util import CommandError
    try:
        command.upgrade(config, "head")
    except CommandError:
        command.upgrade(config, "heads")
    """
    in_a_shell = "alembic upgrade head || alembic upgrade heads"
    run = attach(
        project, database.url(), script(project, in_a_shell) if is_shell else admin(project, falls_back)
    )
    assert run.exit_code == 0, run.stderr
    assert set(run.result.to_revision) == {"a1", "b1"}


@pytest.mark.parametrize("is_shell", [False, True])
def test_one_whose_revisions_cannot_be_loaded_is_no_success_either(tmp_path, database, is_shell):
    project = application(tmp_path / "shop").tables("a1")
    env = ENV.replace("connection=connection", "connection=connection, version_table='of_others'")
    other = application(tmp_path / "other", env).tables("b1")
    (other.folder / other.scripts / "versions" / "b1.py").write_text("import not_there\n")
    body = f"""
    try:
        command.upgrade(Config({str(other.folder / "alembic.ini")!r}), "heads")
    except Exception:
        pass
    command.upgrade(config, "heads")
    """
    in_a_shell = f"alembic -c {other.folder / 'alembic.ini'} upgrade heads || true\nalembic upgrade heads"
    program = script(project, in_a_shell) if is_shell else admin(project, body)
    run = attach(project, database.url(), program)
    assert run.result.outcome is Outcome.FAILED, run.stderr
    assert "not_there" in run.result.failure.message
    planned = attach_plan(project, database.url(), program)
    assert "not_there" in planned.result.failure.message


def test_revisions_that_env_py_rolls_back_are_not_there(tmp_path, database):
    env = ENV.replace(
        "        context.configure",
        "        connection.exec_driver_sql('SELECT 1')\n            context.configure",
    )
    project = application(tmp_path, env).tables("a1")
    run = attach(project, database.url(), admin(project))
    assert run.result.failure.name == "NotPersisted", run.stderr


def test_a_failing_revision_is_told_as_without_a_command_and_nothing_secret_with_it(project, database):
    project.revision("a3", "op.execute(\"INSERT INTO nowhere VALUES ('card 4711')\")")
    run = attach(project, database.url(), admin(project))
    assert run.result.failure.name == "RevisionFailed", run.stderr
    assert run.result.failure.sqlstate == "42P01"
    assert run.result.applied == ("a1", "a2")
    password = database.address.split(":")[2].split("@")[0]
    assert password not in run.stdout + run.stderr
    assert "4711" not in run.result.failure.message


def test_what_the_command_hides_is_told_without_the_secrets_of_the_job(project, database):
    project.revision("a3", "raise RuntimeError('refused: canary-of-the-job')")
    command = admin(project, f"try:\n    {UPGRADE}\nexcept RuntimeError:\n    sys.exit(1)")
    run = attach(project, database.url(), command, environment={"PAYMENTS_TOKEN": "canary-of-the-job"})
    assert run.result.failure.name == "RevisionFailed", run.stderr
    assert "RuntimeError: refused: ***" in run.result.failure.message
    assert "refused: ***" in run.stderr
    assert "canary" not in run.stdout + run.stderr


def test_a_process_that_is_killed_in_a_revision_is_told_with_it(project, database):
    project.revision("a3", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    run = attach(project, database.url(), admin(project))
    assert run.result.failure.name == "CommandFailed", run.stderr
    assert "signal 9 while revision a3 was running" in run.result.failure.message
    assert run.result.to_revision == ("a2",)


def test_another_database_than_the_one_asked_for_is_left_alone(project, make_database):
    asked, configured = make_database(), make_database()
    body = f"import os\nos.environ['DATABASE_URL'] = {configured.url()!r}\n{UPGRADE}"
    run = attach(project, asked.url(), admin(project, body))
    assert run.result.failure.name == "WrongDatabase", run.stderr
    assert asked.tables() == configured.tables() == set()


def test_of_several_databases_only_the_one_asked_for_is_migrated(project, make_database):
    asked, other = make_database(), make_database()
    project.write_env(ENV.replace('os.environ["DATABASE_URL"]', 'context.config.attributes["url"]'))
    urls = f"{other.url()!r}, {asked.url()!r}, {other.url()!r}"
    body = f"for url in ({urls}):\n    config.attributes['url'] = url\n    {UPGRADE}"
    run = attach(project, asked.url(), admin(project, body))
    assert run.exit_code == 0, run.stderr
    assert "a2" in asked.tables()
    assert other.tables() == set()


def test_an_env_py_that_writes_before_its_revisions_is_looked_at_all_the_same(tmp_path, database):
    env = ENV.replace(
        "        context.configure",
        "        connection.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS extra')\n"
        "            connection.commit()\n            context.configure",
    )
    project = application(tmp_path, env).tables("a1")
    run = attach(project, database.url(), admin(project))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)


def test_a_refused_password_is_told_as_such(project, database):
    wrong = database.url().replace(database.address.split(":")[2].split("@")[0], "wrong-one")
    run = attach(project, wrong, admin(project))
    assert run.result.failure.name == "AuthenticationFailed"
    here = {"DATABASE_URL": wrong}
    run = attach(project, "", admin(project), environment=here, url_variable="", export_url_as="")
    assert run.result.failure.name == "AuthenticationFailed", run.stderr
    assert "wrong-one" not in run.stdout + run.stderr


def test_a_table_lock_that_cannot_be_had_is_tried_again(project, database):
    project.revision("a3", "op.add_column('a1', sa.Column('x', sa.Integer))")
    attach(project, database.url(), admin(project, "command.upgrade(config, 'a2')"))
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE a1")
    from support.commands import start_attached

    running = start_attached(project, database.url(), admin(project), {"lock_timeout_seconds": 1})
    running.wait_for(PassRetried)
    blocker.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a3",)
    assert len(run.of(RevisionStarted)) >= 2
