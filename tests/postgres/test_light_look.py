"""The look by libpq alone says yes to exactly one state of the database, and nothing to every other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import psycopg2
import pytest
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_runner.connections import libpq
from headway_runner.connections.dbapi import SESSION, query
from headway_runner.connections.identity import Identity
from headway_runner.looks.light_look import look_lightly
from headway_runner.processes.task import Inspection, Task, VersionTable, WayBack
from headway_runner.project.alembic_env import steps_to_heads
from headway_runner.run.way_back import tells_a_way_back, way_back
from support.projects import Project, from_template
from support.waiting import wait_until

REQUEST = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),), lock_timeout_seconds=1)
TABLE = "CREATE TABLE alembic_version (version_num varchar(32))"
STATE = "INSERT INTO alembic_version VALUES ('a2')"


def history(project: Project) -> ScriptDirectory:
    return ScriptDirectory(str(project.folder / project.scripts))


def told(url: str, project: Project, heads: tuple[str, ...] = ("a1",), **options) -> WayBack | None:
    """The way back as a run at these heads would tell it."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = way_back(context, heads, steps_to_heads(history(project), heads))
        assert not connection.in_transaction()
    return found


def seen(way: WayBack | None, request: RunRequest = REQUEST) -> Inspection | None:
    return look_lightly(None, Task(request, request.databases[0], "heads", way_back=way))


@pytest.fixture
def project(tmp_path) -> Project:
    return from_template(tmp_path).tables("a1", "a2")


@pytest.fixture
def way(database, project) -> Iterator[WayBack]:
    """Told before a run from a1 to a2 that has then done so."""
    database.execute(
        "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('a1')"
    )
    found = told(database.url(), project)
    assert found is not None
    database.execute("UPDATE alembic_version SET version_num = 'a2'")
    return found


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_the_heads_that_the_steps_lead_to_are_confirmed(database, project, driver):
    database.execute(
        "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('a1')"
    )
    found = told(database.url(driver), project)
    assert seen(found) is None
    database.execute("UPDATE alembic_version SET version_num = 'a2'")
    assert seen(found) == Inspection(identity=found.identity, current=("a2",), contexts=1)
    assert psycopg2.__libpq_version__, "both have loaded theirs"
    assert f"/{driver}_binary.libs/" in found.libpq
    assert found.identity.database == database.name


def test_a_table_that_is_not_there_yet_is_looked_for_where_it_will_be_made(database, project):
    database.execute("CREATE SCHEMA app; CREATE SCHEMA later")
    database.execute(f'ALTER DATABASE "{database.name}" SET search_path = app, public')
    found = told(database.url(), project, heads=())
    assert found.table == VersionTable("app", "alembic_version", ("a2",))
    assert seen(found) is None
    database.execute(
        "CREATE TABLE public.alembic_version (version_num varchar(32)); INSERT INTO public." + STATE[12:]
    )
    assert seen(found) is None
    database.execute(
        "CREATE TABLE app.alembic_version (version_num varchar(32)); INSERT INTO app." + STATE[12:]
    )
    assert seen(found).current == ("a2",)


def test_the_version_table_s_own_schema_and_name_count(database, project):
    database.execute('CREATE SCHEMA "Odd ""schema"')
    found = told(database.url(), project, heads=(), version_table="V x", version_table_schema='Odd "schema')
    assert found.table == VersionTable('Odd "schema', "V x", ("a2",))
    database.execute('CREATE TABLE "Odd ""schema"."V x" (version_num varchar(32))')
    assert seen(found) is None
    database.execute("""INSERT INTO "Odd ""schema"."V x" VALUES ('a2')""")
    assert seen(found).current == ("a2",)


def test_values_come_as_a_driver_gives_them_and_a_refused_statement_raises(way):
    session = libpq.Session(way.libpq, way.arguments)
    try:
        asked = "SELECT true, false, 1::smallint, 2, 3::bigint, 'é''x', NULL, 'a'::name"
        assert query(session, asked) == [(True, False, 1, 2, 3, "é'x", None, "a")]
        assert query(session, "SELECT 1 WHERE false") == []
        with pytest.raises(libpq.NotAnswered):
            query(session, "SELECT 1/0")
        assert query(session, "SELECT pg_backend_pid()") == [(session.get_backend_pid(),)]
    finally:
        session.close()
    with pytest.raises(libpq.NotAnswered):
        libpq.Session(way.libpq, {**dict(way.arguments), "password": "wrong"}.items())


OTHER_STATES = {
    "at an earlier revision": "UPDATE alembic_version SET version_num = 'a1'",
    "at one more head": "INSERT INTO alembic_version VALUES ('b1')",
    "the same head twice": STATE,
    "empty": "DELETE FROM alembic_version",
    "not there": "DROP TABLE alembic_version",
    "in another schema": "CREATE SCHEMA app; ALTER TABLE alembic_version SET SCHEMA app",
    "an invalid index": "CREATE TABLE t (a int); CREATE INDEX broken ON t (a); "
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass",
}


@pytest.mark.parametrize("change", OTHER_STATES.values(), ids=OTHER_STATES)
def test_any_other_state_of_the_database_is_not_confirmed(database, way, change):
    assert seen(way) is not None
    database.execute(change)
    assert seen(way) is None


def test_another_database_is_not_confirmed_whatever_is_in_it(way, make_database):
    assert seen(replace(way, identity=replace(way.identity, database="another"))) is None
    assert seen(replace(way, identity=replace(way.identity, system="1"))) is None
    other = make_database("other")
    other.execute(f"{TABLE}; {STATE}")
    there = tuple((name, other.name if name == "dbname" else value) for name, value in way.arguments)
    assert seen(replace(way, arguments=there)) is None
    assert seen(replace(way, arguments=there, identity=Identity(other.name, way.identity.system))) is not None


def test_what_cannot_be_reached_or_loaded_is_not_confirmed(way, capfd):
    for name, value in (("password", "wrong"), ("port", "1"), ("sslmode", "require"), ("user", "nobody")):
        changed = {**dict(way.arguments), name: value}
        assert seen(replace(way, arguments=tuple(changed.items()))) is None, name
    assert seen(replace(way, libpq="/nowhere/libpq.so")) is None
    assert seen(None) is None
    told_of = capfd.readouterr().err
    assert told_of.count("could not be read by libpq alone (NotAnswered): env.py is asked") >= 3
    assert dict(way.arguments)["password"] not in told_of


def test_on_a_session_that_a_pooler_may_lend_to_others_nothing_is_set_and_nothing_confirmed(way, monkeypatch):
    monkeypatch.setattr(libpq.Session, "get_backend_pid", lambda self: 1)
    asked: list[str] = []
    rows = libpq.Session.rows
    monkeypatch.setattr(libpq.Session, "rows", lambda self, text: asked.append(text) or rows(self, text))
    assert seen(way) is None
    assert not any("set_config" in statement for statement in asked)


def test_a_version_table_that_is_locked_is_waited_for_no_longer_than_a_run_waits(database, way):
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    assert seen(way) is None
    holder.rollback()
    assert seen(way) is not None


def test_its_session_is_named_read_only_and_gone_afterwards(database, way, monkeypatch):
    shown: list[tuple] = []
    monkeypatch.setattr(
        "headway_runner.looks.light_look.index_catalog.invalid",
        lambda session: shown.extend(
            session.rows(
                "SELECT current_setting('application_name'), current_setting('default_transaction_read_only'), "
                "current_setting('lock_timeout'), current_setting('statement_timeout')"
            )
        ),
    )
    assert seen(way) is not None
    assert shown == [("headway:r/main", "on", "1s", "5s")]
    left = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'headway:r/main' AND datname = current_database()"
    wait_until(lambda: not database.rows(left), what="the end of its session")


def test_what_a_server_says_while_one_connects_is_not_written_to_the_log(database, way, capfd):
    database.execute(
        f'ALTER DATABASE "{database.name}" SET client_min_messages = debug5; '
        f'ALTER DATABASE "{database.name}" SET log_parser_stats = on'
    )
    assert seen(way) is not None
    assert capfd.readouterr().err == ""


def test_a_table_that_alembic_sees_elsewhere_than_its_name_says_is_no_way_back(database, project):
    """As with a schema_translate_map: what the driver reads there is not what Alembic has read."""
    database.execute(
        "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('b1')"
    )
    assert told(database.url(), project, heads=("a1",)) is None


@pytest.mark.parametrize("driver", ["pg8000"])
def test_another_driver_tells_no_way_back(database, project, driver):
    assert told(database.url(driver), project, heads=()) is None
    with create_engine("sqlite://").connect() as connection:
        assert not tells_a_way_back(MigrationContext.configure(connection))
    assert not tells_a_way_back(SimpleNamespace(connection=None))


def test_a_session_behind_a_pooler_tells_no_way_back(database):
    with create_engine(database.url(), poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(connection)
        for own in ({}, {SESSION: connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()}):
            connection.info.update(own)
            assert tells_a_way_back(context)
        connection.info[SESSION] = 1
        assert not tells_a_way_back(context)


def test_a_transaction_of_env_py_is_not_ended_by_telling_the_way_back(database, project):
    with create_engine(database.url(), poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE kept ()")
        context = MigrationContext.configure(connection)
        assert way_back(context, (), steps_to_heads(history(project), ())) is not None
        connection.rollback()
    assert database.tables() == set()
