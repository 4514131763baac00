"""A run that libpq alone confirms: wherever its version table is, whatever opens its connection. When anything is not
exactly as it should be, env.py is asked, and the words are those of any other run. The parent of such a run loads
neither SQLAlchemy nor Alembic.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from headway_contract.events import PassRetried, RunStarted, Stopping, Verified
from headway_contract.exit_codes import ExitCode
from headway_contract.planned import Planned
from headway_contract.request import Mode, Part, RunRequest
from headway_contract.result import Outcome
from support.env_passes import counted, passes
from support.projects import Project, from_template
from support.runner import Run, database_request, request_for, run_runner, start
from support.waiting import wait_until

TENANT = """
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    with engine.connect() as connection:
        connection.exec_driver_sql("SET search_path = tenant")
        connection.commit()
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
TRANSLATED = """
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS tenant.alembic_version (version_num varchar(32))")
        connection.commit()
        connection = connection.execution_options(schema_translate_map={None: "tenant"})
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


def planned(project: Project, url: str, environment: dict[str, str] | None = None, **options) -> Planned:
    """What a plan shows, which libpq can be asked about afterwards."""
    request = request_for(database_request(**options), mode=Mode.PLAN)
    run = run_runner(project, request, {"main": url}, **(environment or {}))
    assert run.exit_code == 0, run.stderr
    found = run.result.plan.databases[0].planned
    assert found.env.libpq
    return found


def carried_out(
    project: Project, url: str, environment: dict[str, str] | None = None, part: Part = Part.ALL, **options
) -> tuple[Run, int]:
    """Plan and run; the run, and how often it went through env.py."""
    counted(project)
    expected = planned(project, url, environment, **options)
    passes(project)
    request = request_for(database_request(planned=expected, **options), part=part)
    run = run_runner(project, request, {"main": url}, **(environment or {}))
    return run, passes(project)


def confirmed(run: Run, times: int, *heads: str) -> None:
    """It came to its heads, and env.py was run for the revisions alone."""
    assert run.exit_code == 0, run.stderr
    assert run.result.outcome is Outcome.SUCCEEDED
    assert run.result.to_revision == heads
    assert run.of(Verified) == [Verified("main", heads, 0)]
    assert len(run.of(RunStarted)) == 1
    assert times == 1, run.stderr


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_what_was_planned_is_confirmed_without_env_py(tmp_path, database, driver):
    run, times = carried_out(from_template(tmp_path).tables("a1", "a2"), database.url(driver))
    confirmed(run, times, "a2")
    assert (run.result.applied, run.result.from_revision) == (("a1", "a2"), ())
    assert run.kinds()[0] == "RunStarted"
    assert run.of(RunStarted)[0].sqlalchemy


def test_with_an_asynchronous_engine_too(tmp_path, database):
    run, times = carried_out(from_template(tmp_path, "async").tables("a1"), database.url())
    confirmed(run, times, "a1")


def test_branches_and_merges_end_at_the_heads_that_are_waited_for(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    project.tables("b1", after="a1", label="b").tables("c1", after="a1", label="c", depends_on="b1")
    project.tables("d1", after=("b1", "c1")).tables("e1", after=None, label="e")
    run, times = carried_out(project, database.url())
    confirmed(run, times, *run.result.to_revision)
    assert set(run.result.to_revision) == {"d1", "e1"}


def test_a_search_path_that_env_py_sets_leads_to_the_table_of_the_tenant(tmp_path, database):
    database.execute("CREATE SCHEMA tenant; CREATE TABLE public.alembic_version (version_num varchar(32))")
    database.execute("INSERT INTO public.alembic_version VALUES ('a1')")
    run, times = carried_out(from_template(tmp_path).write_env(TENANT).tables("a1"), database.url())
    confirmed(run, times, "a1")
    assert database.rows("SELECT version_num FROM tenant.alembic_version") == [("a1",)]


def test_a_translated_schema_is_left_to_env_py(tmp_path, database):
    database.execute("CREATE SCHEMA tenant; CREATE TABLE public.alembic_version (version_num varchar(32))")
    database.execute("INSERT INTO public.alembic_version VALUES ('a1')")
    run, times = carried_out(from_template(tmp_path).write_env(TRANSLATED).tables("a1"), database.url())
    assert (run.exit_code, times) == (0, 2), run.stderr
    assert database.rows("SELECT version_num FROM tenant.alembic_version") == [("a1",)]


def test_the_version_table_of_the_request_is_the_one_that_is_read(tmp_path, database):
    database.execute("CREATE SCHEMA app")
    place = {"version_table": "Versions of it", "version_table_schema": "app"}
    run, times = carried_out(from_template(tmp_path).tables("a1"), database.url(), **place)
    confirmed(run, times, "a1")
    assert database.rows('SELECT version_num FROM app."Versions of it"') == [("a1",)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_password_with_odd_characters_is_taken_from_the_connection(tmp_path, place, driver):
    run, times = carried_out(from_template(tmp_path).tables("a1"), place.url(driver))
    confirmed(run, times, "a1")


@pytest.mark.parametrize("env", ["token_at_connect", "creator", "url_from_environment"])
def test_whatever_opens_the_connection_need_not_be_known(tmp_path, place, env):
    project = from_template(tmp_path).use_env(env).tables("a1")
    environment = {"IAM_TOKEN": place.password, "DATABASE_URL": place.url()}
    run, times = carried_out(project, place.url(), environment)
    confirmed(run, times, "a1")


def test_what_env_py_puts_into_its_environment_counts_as_well(tmp_path, place):
    url = make_url(place.url())
    address = f"postgresql+psycopg:///{url.database}"
    project = from_template(tmp_path).tables("a1")
    parts = {"PGUSER": url.username, "PGPASSWORD": url.password, "PGHOST": url.host, "PGPORT": str(url.port)}
    project.env.write_text(f"import os\nos.environ.update({parts!r})\n" + project.env.read_text())
    text = project.env.read_text().replace(
        "config = context.config\n",
        f"config = context.config\nconfig.set_main_option('sqlalchemy.url', {address!r})\n",
        1,
    )
    project.env.write_text(text)
    run, times = carried_out(project, place.url())
    confirmed(run, times, "a1")


LEAVES_ELSEWHERE = {
    "it moves the version table": (
        "op.execute('CREATE SCHEMA moved')\nop.execute('ALTER TABLE alembic_version SET SCHEMA moved')\n"
        "op.execute('SET search_path = moved')"
    ),
    "it moves the search path": (
        "op.execute('CREATE SCHEMA other')\n"
        "op.execute('CREATE TABLE other.alembic_version (version_num varchar(32))')\n"
        "op.execute(\"SELECT set_config('search_path', 'other', false)\")"
    ),
    "it adds a row of its own": "op.execute(\"INSERT INTO alembic_version VALUES ('zz')\")",
}


@pytest.mark.parametrize("upgrade", LEAVES_ELSEWHERE.values(), ids=LEAVES_ELSEWHERE)
def test_a_version_table_that_a_revision_moves_ends_as_without_a_plan(tmp_path, make_database, upgrade):
    ends = []
    for name in ("light", "full"):
        database = make_database(name)
        project = from_template(tmp_path / name).tables("a0").revision("a1", upgrade)
        if name == "light":
            run, times = carried_out(project, database.url())
            assert times > 1
        else:
            run = run_runner(project, request_for(database_request()), {"main": database.url()})
        ends.append((run.exit_code, run.result.failure, run.result.to_revision, run.result.applied))
    assert ends[0] == ends[1]


def test_a_revision_that_goes_on_in_another_database_is_not_confirmed_there(tmp_path, make_database):
    wanted, other = make_database("wanted"), make_database("other")
    other.execute("CREATE TABLE alembic_version (version_num varchar(32))")
    elsewhere = (
        "import os, sqlalchemy\n"
        f"bind = op.get_bind()\nbind.commit()\n"
        f"there = sqlalchemy.create_engine({other.url()!r}).connect()\n"
        "op.get_context().connection = there\nop.get_context().impl.connection = there"
    )
    run, times = carried_out(from_template(tmp_path).revision("a1", elsewhere), wanted.url())
    assert run.result.outcome is Outcome.FAILED
    assert times > 1
    assert wanted.rows("SELECT version_num FROM alembic_version") == []


def test_an_index_that_is_left_invalid_is_found_and_told_as_ever(tmp_path, database):
    broken = (
        "op.execute('CREATE TABLE t (a int)')\nop.execute('CREATE INDEX broken ON t (a)')\n"
        "op.execute(\"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass\")"
    )
    run, times = carried_out(from_template(tmp_path).revision("a1", broken), database.url())
    assert run.result.failure.name == "PartiallyApplied"
    assert "left invalid: public.broken" in run.result.failure.message
    assert times == 2


def test_what_waits_behind_the_gate_is_counted_by_env_py(tmp_path, database):
    project = from_template(tmp_path).tables("a1").revision("a2", mark="post_deploy = True")
    run, times = carried_out(project, database.url(), part=Part.BEFORE_DEPLOY)
    assert (run.exit_code, run.result.post_deploy_count, times) == (0, 1, 2), run.stderr


FETCHES = """
    from alembic import context
    import sqlalchemy as sa
    engine = sa.create_engine("{address}", connect_args=dict(password=open("token").read()))
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


def test_a_token_that_is_no_longer_good_leaves_it_to_env_py_which_fetches_another(tmp_path, place):
    url = make_url(place.database.url())
    address = f"postgresql+psycopg://{place.user}@{url.host}:{url.port}/{url.database}"
    fresh = place.canaries.plant("the next token")
    (tmp_path / "token").write_text(place.password)
    change = (
        f"op.execute(\"ALTER ROLE {place.user} PASSWORD '{fresh}'\"); open('token', 'w').write({fresh!r})"
    )
    project = from_template(tmp_path).write_env(FETCHES.format(address=address)).revision("a1", change)
    run, times = carried_out(project, "", url_variable="")
    assert (run.exit_code, times) == (0, 2), run.stderr
    assert "could not be read by libpq alone" in run.stderr
    assert place.canaries.found_in({"events": run.stdout, "result": run.result.to_json()}) == []


def waits(begun: Path, go: Path) -> str:
    return (
        f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)"
    )


def test_a_stop_that_comes_while_the_last_revision_runs_ends_as_without_a_plan(tmp_path, make_database):
    ends = []
    for name in ("light", "full"):
        begun, go, database = tmp_path / f"{name}-begun", tmp_path / f"{name}-go", make_database(name)
        project = from_template(tmp_path / name).revision("a1", waits(begun, go))
        expected = planned(project, database.url()) if name == "light" else None
        request = request_for(database_request(planned=expected), grace_seconds=600)
        running = start(project, request, {"main": database.url()})
        wait_until(begun.exists, what="the revision")
        running.terminate()
        running.wait_for(Stopping)
        go.touch()
        run = running.finish()
        ends.append((run.exit_code, run.result.outcome, run.result.to_revision, len(run.of(Verified))))
    assert ends[0] == ends[1]


def test_a_run_whose_parent_is_killed_ends_its_statement_and_the_next_goes_on(tmp_path, database):
    sleeps = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%%'"
    project = from_template(tmp_path).tables("a1").revision("a2", "op.execute('SELECT pg_sleep(60)')")
    request = request_for(database_request(planned=planned(project, database.url())))
    running = start(project, request, {"main": database.url()})
    wait_until(lambda: database.rows(sleeps), what="the second revision")
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    wait_until(lambda: not database.rows(sleeps), what="the end of its statement")
    assert database.rows("SELECT version_num FROM alembic_version") == [("a1",)]
    run, times = carried_out(project.tables("a2", after="a1"), database.url())
    confirmed(run, times, "a2")


def held_up(folder: Path, module: str) -> dict[str, str]:
    """The environment of an image in which this module takes for ever to load, in whatever process needs it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import pathlib, sys, threading\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        f"            pathlib.Path({str(folder / 'loading')!r}).touch()\n"
        "            threading.Event().wait()\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("module", ["sqlalchemy", "alembic"])
@pytest.mark.parametrize("kind", ["with a plan", "without a plan", "a plan"])
def test_it_is_stopped_at_once_while_it_still_loads_what_it_needs(tmp_path, database, module, kind):
    project = from_template(tmp_path / "project").tables("a1")
    expected = planned(project, database.url()) if kind == "with a plan" else None
    mode = Mode.PLAN if kind == "a plan" else Mode.MIGRATE
    request = request_for(database_request(planned=expected), mode=mode, grace_seconds=600)
    image = held_up(tmp_path / "image", module)
    running = start(project, request, {"main": database.url()}, **image)
    wait_until((tmp_path / "image" / "loading").exists, what="the import")
    running.terminate()
    run = running.finish()
    assert run.exit_code == ExitCode.STOPPED, run.stderr
    assert run.of(Verified) == []
    assert database.tables() == set()


@pytest.mark.parametrize("kind", ["with a plan", "without a plan", "a plan", "a plan of two"])
def test_what_it_needs_and_is_not_there_is_told_as_ever(tmp_path, database, kind):
    project = from_template(tmp_path / "project").tables("a1")
    expected = planned(project, database.url()) if kind == "with a plan" else None
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "sitecustomize.py").write_text("import sys\nsys.modules['alembic'] = None\n")
    databases = [database_request(planned=expected), database_request("audit")]
    request = request_for(
        *databases[: 2 if kind == "a plan of two" else 1],
        mode=Mode.PLAN if kind.startswith("a plan") else Mode.MIGRATE,
    )
    urls = {"main": database.url(), "audit": database.url()}
    run = run_runner(project, request, urls, PYTHONPATH=str(tmp_path / "image"))
    assert run.result.failure.name == "AlembicMissing"
    assert run.exit_code == run.result.failure.kind.exit_code
    assert "There is no module alembic in " in run.result.failure.message
    assert run.of(RunStarted) == []


NOTED = """
import os, pathlib, sys
class Noted:
    def find_spec(self, name, *_):
        if name in ("sqlalchemy", "alembic"):
            (pathlib.Path(__file__).parent / f"{name}-{os.getpid()}").touch()
sys.meta_path.insert(0, Noted())
"""
"""The sitecustomize.py of an image that notes which processes load them."""


def loaders(project: Project, request: RunRequest, url: str, image: Path) -> tuple[Run, bool, int]:
    """The run, whether its first process loaded SQLAlchemy or Alembic, and how many processes loaded either."""
    image.mkdir()
    (image / "sitecustomize.py").write_text(NOTED)
    urls = {one.name: url for one in request.databases}
    running = start(project, request, urls, PYTHONPATH=str(image))
    run = running.finish()
    loading = {int(path.name.rpartition("-")[2]) for path in image.glob("*-*")}
    return run, running.process.pid in loading, len(loading)


def test_a_run_without_a_plan_is_looked_at_and_run_by_a_process_each_and_confirmed_without_env_py(
    tmp_path, database
):
    project = counted(from_template(tmp_path / "project").tables("a1", "a2"))
    request = request_for(database_request())
    run, in_parent, processes = loaders(project, request, database.url(), tmp_path / "image")
    assert (run.exit_code, run.result.applied) == (0, ("a1", "a2")), run.stderr
    assert (run.result.outcome, run.of(Verified)) == (Outcome.SUCCEEDED, [Verified("main", ("a2",), 0)])
    assert (in_parent, processes, passes(project)) == (False, 2, 2)
    assert len(run.of(RunStarted)) == 1


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.MIGRATE])
def test_where_nothing_is_to_be_done_one_process_loads_them_and_it_is_not_the_first(tmp_path, database, mode):
    project = counted(from_template(tmp_path / "project").tables("a1"))
    run_runner(project, request_for(database_request()), {"main": database.url()})
    passes(project)
    request = request_for(database_request(), mode=mode, tells_facts=True)
    run, in_parent, processes = loaders(project, request, database.url(), tmp_path / "image")
    assert (run.exit_code, run.result.pending_count) == (0, 0), run.stderr
    assert (in_parent, processes, passes(project)) == (False, 1, 1)
    assert run.kinds()[0] == "RunStarted"


def test_a_plan_of_several_databases_loads_them_once(tmp_path, database):
    project = from_template(tmp_path / "project").tables("a1")
    request = request_for(database_request(), database_request("audit"), mode=Mode.PLAN)
    run, in_parent, processes = loaders(project, request, database.url(), tmp_path / "image")
    assert (run.exit_code, len(run.result.plan.databases)) == (0, 2), run.stderr
    assert (in_parent, processes) == (True, 1)


def test_without_a_plan_another_driver_has_them_loaded_once_for_the_run_and_the_look_after_it(
    tmp_path, database
):
    project = counted(from_template(tmp_path / "project").tables("a1"))
    url = database.url("pg8000")
    run, in_parent, processes = loaders(project, request_for(database_request()), url, tmp_path / "image")
    assert (run.exit_code, run.result.applied) == (0, ("a1",)), run.stderr
    assert (in_parent, processes, passes(project)) == (True, 2, 3)
    assert len(run.of(RunStarted)) == 1


def test_an_env_py_that_wants_an_asynchronous_engine_without_a_plan_is_confirmed_without_env_py(
    tmp_path, database
):
    project = counted(from_template(tmp_path, "async").tables("a1"))
    run = run_runner(project, request_for(database_request()), {"main": database.url()})
    assert (run.exit_code, run.result.applied) == (0, ("a1",)), run.stderr
    assert run.of(Verified) == [Verified("main", ("a1",), 0)]


@pytest.mark.parametrize("url", ["", "postgresql://u:p@w@h:1:2/db", "nodialect://h/db"])
def test_a_url_that_cannot_be_used_is_told_as_ever(tmp_path, database, url):
    project = from_template(tmp_path).tables("a1")
    expected = planned(project, database.url())
    failures = [
        run_runner(project, request_for(database_request(planned=held_to)), {"main": url}).result.failure
        for held_to in (expected, None)
    ]
    assert failures[0] == failures[1]
    assert failures[0].name in ("InvalidUrl", "DriverMissing")


def test_after_a_lock_that_could_not_be_had_at_first_the_attempt_that_ended_is_confirmed(tmp_path, database):
    database.execute("CREATE TABLE busy (a int)")
    project = counted(from_template(tmp_path).revision("a1", "op.execute('ALTER TABLE busy ADD b int')"))
    request = request_for(database_request(planned=planned(project, database.url())), lock_timeout_seconds=1)
    passes(project)
    blocker = database.connect(autocommit=False)
    blocker.execute("SELECT * FROM busy")
    running = start(project, request, {"main": database.url()})
    running.wait_for(PassRetried)
    blocker.rollback()
    run = running.finish()
    assert (run.exit_code, run.result.to_revision) == (0, ("a1",)), run.stderr
    assert len(run.of(RunStarted)) == 1
    assert passes(project) == 2, "once for each attempt"
