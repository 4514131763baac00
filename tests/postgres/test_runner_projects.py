"""Projects of many shapes: several databases, version tables, branches, merges, arguments, other people's env.py."""

from __future__ import annotations

import sys

import pytest

from headway_contract.exit_codes import ExitCode
from headway_contract.request import CredentialVariables, Mode
from headway_contract.result import Outcome
from support.projects import from_template, loop_over_databases
from support.runner import database_request, migrate, only_events, plan, request_for, run_runner

ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine
    {setup}
    with create_engine({url}).connect() as connection:
        context.configure(connection=connection, {options})
        with context.begin_transaction():
            context.run_migrations()
"""
CONFIGURED = "context.config.get_main_option('sqlalchemy.url')"


def env(url: str = CONFIGURED, setup: str = "", options: str = "") -> str:
    return ENV.format(url=url, setup=setup, options=options)


def multidb(folder, upgrade="op.create_table('t', sa.Column('id', sa.Integer))"):
    project = from_template(folder, "multidb")
    call = "globals()['{direction}_' + engine_name]()"
    functions = "".join(
        f"def {direction}(engine_name):\n    {call.format(direction=direction)}\n\n"
        for direction in ("upgrade", "downgrade")
    )
    for name in ("engine1", "engine2"):
        functions += (
            f"def upgrade_{name}():\n    {upgrade}\n\ndef downgrade_{name}():\n    op.drop_table('t')\n\n"
        )
    return project.revision("m1", functions=functions)


def test_the_multidb_template_migrates_only_the_named_database(tmp_path, make_database):
    one, two = make_database(), make_database()
    project = multidb(tmp_path)
    run = run_runner(project, request_for(database_request("engine2")), {"engine2": two.url()})
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("m1",)
    assert two.tables() == {"alembic_version", "t"}
    assert one.tables() == set()


def test_a_name_that_the_multidb_project_does_not_list_is_refused(tmp_path, database):
    run = migrate(multidb(tmp_path), database.url())
    assert run.result.failure.name == "ProjectFailed"
    assert "engine1, engine2" in run.result.failure.message
    assert "'main'" in run.result.failure.message
    assert database.tables() == set()


def test_an_env_py_that_loops_over_databases_migrates_only_the_requested_one(tmp_path, make_database):
    databases = {name: make_database(name) for name in ("main", "analytics", "audit")}
    project = loop_over_databases(tmp_path, {name: one.url() for name, one in databases.items()}).tables(
        "a1", "a2"
    )
    run = run_runner(
        project, request_for(database_request("analytics")), {"analytics": databases["analytics"].url()}
    )
    assert run.exit_code == 0, run.stderr
    assert databases["analytics"].tables() == {"alembic_version_analytics", "a1", "a2"}
    assert databases["main"].tables() == databases["audit"].tables() == set()


def test_an_env_py_that_loops_past_the_requested_database_writes_nothing(tmp_path, make_database):
    wanted, other = make_database("wanted"), make_database("other")
    project = loop_over_databases(tmp_path, {"main": other.url()}).tables("a1")
    run = migrate(project, wanted.url())
    assert run.exit_code == ExitCode.MISCONFIGURED
    assert run.result.failure.name == "WrongDatabase"
    assert other.name in run.result.failure.message
    assert wanted.name in run.result.failure.message
    assert wanted.tables() == other.tables() == set()


def test_a_database_of_the_same_name_on_another_server_would_be_told_apart(tmp_path, database):
    from headway_runner.connections.identity import Identity

    assert not Identity("shop", "1").is_same_as(Identity("shop", "2"))
    assert Identity("shop", "1").is_same_as(Identity("shop", ""))


def test_several_databases_are_planned_at_once_each_with_its_own_version_table(tmp_path, make_database):
    databases = {name: make_database(name) for name in ("main", "audit")}
    project = from_template(tmp_path).tables("a1")
    urls = {name: one.url() for name, one in databases.items()}
    requests = [database_request(name, version_table=f"version_{name}") for name in urls]
    first = run_runner(project, request_for(requests[0]), urls)
    assert first.exit_code == 0, first.stderr
    assert databases["main"].tables() == {"version_main", "a1"}
    run = run_runner(project, request_for(*requests, mode=Mode.PLAN), urls)
    assert [(one.name, one.current, len(one.pending)) for one in run.result.plan.databases] == [
        ("main", ("a1",), 0),
        ("audit", (), 1),
    ]


def test_a_version_table_may_live_in_another_schema(tmp_path, database):
    database.execute("CREATE SCHEMA ops")
    run = migrate(from_template(tmp_path).tables("a1"), database.url(), version_table_schema="ops")
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"a1"}
    assert database.scalar("SELECT version_num FROM ops.alembic_version") == "a1"


def branches(folder):
    project = from_template(folder).tables("root")
    project.revision("shop1", "op.execute('CREATE TABLE shop1 ()')", after="root", label="shop")
    return project.revision("stat1", "op.execute('CREATE TABLE stat1 ()')", after="root", label="stat")


def test_a_branch_label_takes_only_its_branch(tmp_path, database):
    run = migrate(branches(tmp_path), database.url(), target="stat@head")
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"alembic_version", "root", "stat1"}
    assert run.result.to_revision == ("stat1",)


def test_two_heads_with_target_head_are_listed(tmp_path, database):
    run = migrate(branches(tmp_path), database.url(), target="head")
    assert run.exit_code == ExitCode.BAD_HISTORY
    assert run.result.failure.name == "MultipleHeads"
    assert "shop1" in run.result.failure.message
    assert "stat1" in run.result.failure.message
    assert database.tables() == set()


def test_heads_takes_all_branches_and_a_merge_joins_them(tmp_path, database):
    project = branches(tmp_path)
    assert set(migrate(project, database.url()).result.to_revision) == {"shop1", "stat1"}
    project.revision("joined", after=("shop1", "stat1"))
    run = migrate(project, database.url())
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("joined",)
    assert run.result.applied == ("joined",)


def test_a_dependency_on_another_branch_is_applied_and_planned(tmp_path, database):
    project = from_template(tmp_path)
    project.revision("s1", after=None, label="shop").revision("c1", after=None, label="crm", depends_on="s1")
    planned = plan(project, {"main": database.url()}, target="crm@head").result.plan.databases[0]
    assert [one.revision for one in planned.pending] == ["s1", "c1"]
    run = migrate(project, database.url(), target="crm@head")
    assert run.exit_code == 0, run.stderr


def test_a_relative_target_means_one_revision_and_is_verified(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2", "a3")
    run = migrate(project, database.url(), target="+2")
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a2",)
    assert plan(project, {"main": database.url()}, target="+1").result.plan.databases[0].target == ("a3",)


def test_a_relative_target_beyond_the_end_is_refused(tmp_path, database):
    run = migrate(from_template(tmp_path).tables("a1"), database.url(), target="+5")
    assert run.result.failure.name == "InvalidTarget"
    assert database.tables() == set()


def test_x_arguments_environment_and_exported_url_reach_env_py(tmp_path, database):
    project = from_template(tmp_path).write_env(
        env(
            url="os.environ['DATABASE_URL']",
            options="version_table='v_' + x['tenant'] + os.environ['ENVIRONMENT']",
            setup="x = context.get_x_argument(as_dictionary=True); assert context.config.cmd_opts.cmd",
        )
    )
    run = migrate(
        project.tables("a1"),
        database.url(),
        x=(("tenant", "acme"), ("other", "a=b")),
        export_url_as="DATABASE_URL",
        options={"environment": "production"},
    )
    assert run.exit_code == 0, run.stderr
    assert "v_acmeproduction" in database.tables()


def test_a_password_with_special_characters_and_credentials_in_parts_work(tmp_path, database):
    user, password = "hw_special_user", "p%40s%s/@:#?"
    database.execute(f"DROP ROLE IF EXISTS {user}")
    database.execute(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'")
    host = database.address.split("@")[1]
    variables = {
        "H": host.split(":")[0],
        "P": host.split(":")[1].split("/")[0],
        "N": database.name,
        "U": user,
        "W": password,
    }
    request = request_for(
        database_request(url_variable="", credentials=CredentialVariables("H", "P", "N", "U", "W"))
    )
    run = run_runner(from_template(tmp_path).tables("a1"), request, {}, **variables)
    database.execute(f"REASSIGN OWNED BY {user} TO CURRENT_USER")
    database.execute(f"DROP ROLE {user}")
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"alembic_version", "a1"}


def test_the_applications_own_configuration_may_decide(tmp_path, database):
    project = from_template(tmp_path).tables("a1").write_env(env(url="os.environ['APP_DB']"))
    run = run_runner(project, request_for(database_request(url_variable="")), {}, APP_DB=database.url())
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"alembic_version", "a1"}


def test_another_section_and_folder_of_the_configuration_are_honoured(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    ini = (tmp_path / "alembic.ini").read_text().replace("[alembic]", "[reporting]")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "db.ini").write_text(ini.replace("%(here)s/migrations", "%(here)s/../migrations"))
    run = migrate(project, database.url(), config="etc/db.ini", section="reporting")
    assert run.exit_code == 0, run.stderr
    assert database.tables() == {"alembic_version", "a1"}


def test_what_the_project_prints_never_mixes_with_events(tmp_path, database):
    noise = "import sys, subprocess; print('n1'); print('n2', file=sys.__stdout__); "
    noise += "os.write(1, b'n3\\n'); subprocess.run(['echo', 'n4'])"
    project = from_template(tmp_path).write_env(env(setup=noise))
    project.revision("a1", "print('n5')")
    run = migrate(project, database.url())
    assert run.exit_code == 0, run.stderr
    assert only_events(run.stdout)
    assert all(f"n{number}" in run.stderr for number in range(1, 6))


def test_the_users_version_apply_callback_still_runs(tmp_path, database):
    setup = "def callback(ctx, step, heads, run_args, **more): print('applied', step.up_revision_id)"
    project = (
        from_template(tmp_path).tables("a1").write_env(env(setup=setup, options="on_version_apply=callback"))
    )
    assert "applied a1" in migrate(project, database.url()).stderr


def test_an_env_py_that_writes_is_planned_all_the_same_and_that_is_told(tmp_path, database):
    setup = """
    with create_engine(context.config.get_main_option('sqlalchemy.url')).begin() as first:
        first.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS tenant')
    """
    project = from_template(tmp_path).tables("a1").write_env(env(setup=setup))
    run = plan(project, {"main": database.url()})
    assert run.exit_code == 0, run.stderr
    planned = run.result.plan.databases[0]
    assert [one.revision for one in planned.pending] == ["a1"]
    assert "env.py writes" in planned.notices[0]
    assert database.tables() == set()


def test_a_setting_for_one_transaction_keeps_all_revisions_in_one(tmp_path, database):
    database.execute("CREATE SCHEMA acme")
    code = env().replace(
        "            context.run_migrations()",
        "            connection.exec_driver_sql('SET LOCAL search_path = acme')\n"
        "            context.run_migrations()",
    )
    project = from_template(tmp_path).tables("a1", "a2").write_env(code)
    run = migrate(project, database.url(), version_table_schema="public")
    assert run.exit_code == 0, run.stderr
    assert database.scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'acme'") == 2


def test_a_tenant_loop_migrates_every_schema(tmp_path, database):
    for tenant in ("t1", "t2"):
        database.execute(f"CREATE SCHEMA {tenant}")
    project = from_template(tmp_path).write_env(
        """
        from alembic import context
        from sqlalchemy import create_engine
        for tenant in ("t1", "t2"):
            engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
            with engine.connect() as connection:
                context.configure(connection=connection, version_table_schema=tenant)
                with context.begin_transaction():
                    connection.exec_driver_sql(f"SET search_path = {tenant}")
                    context.run_migrations()
        """
    )
    run = migrate(project.revision("a1", "op.execute('CREATE TABLE item ()')"), database.url())
    assert run.exit_code == 0, run.stderr
    assert database.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'item' ORDER BY 1") == [
        ("t1",),
        ("t2",),
    ]


def test_modules_of_the_project_are_not_shadowed_by_ours(tmp_path, database):
    (tmp_path / "database.py").write_text("NAME = 'the project\\'s own'")
    (tmp_path / "plan.py").write_text("NAME = 'the project\\'s own'")
    setup = "import database, plan; assert database.NAME == plan.NAME == 'the project\\'s own'"
    run = migrate(from_template(tmp_path).tables("a1").write_env(env(setup=setup)), database.url())
    assert run.exit_code == 0, run.stderr


def test_the_injected_folder_runs_without_an_installed_headway(tmp_path, database):
    import subprocess

    from support.runner import RUNNER, start_runner

    target = tmp_path / "injected"
    subprocess.run(
        [sys.executable, "-m", "headway_runner.inject", str(target)], cwd=RUNNER.parent, check=True
    )
    assert sorted(path.name for path in target.iterdir()) == ["headway_contract", "headway_runner"]
    project = from_template(tmp_path / "project").tables("a1")
    running = start_runner(
        project.folder,
        request_for(database_request()),
        {"URL_main": database.url()},
        tmp_path / "scratch",
        command=(str(target / "headway_runner"),),
    )
    assert running.finish().result.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("count", [40])
def test_a_plan_too_large_for_the_result_travels_as_a_document(tmp_path, database, count):
    from headway_contract.result import Plan
    from headway_contract.wire import join_document

    project = from_template(tmp_path)
    for number in range(count):
        project.revision(f"r{number:03}", title="Ü" * 60)
    run = plan(project, {"main": database.url()})
    assert run.result.plan is None
    document = Plan.from_json(join_document(run.result.plan_sha256, run.stdout.splitlines()))
    assert len(document.databases[0].pending) == run.result.pending_count == count
    assert all(len(line.encode()) < 4096 for line in run.stdout.splitlines())
