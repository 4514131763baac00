"""What a plan tells with a PostgreSQL behind it: sizes, Headway's own operations, the files of a command."""

from __future__ import annotations

import textwrap

import psycopg
import pytest

from headway_contract.facts import TriggerFacts
from headway_contract.request import Mode, WhenAhead
from headway_contract.result import Plan
from headway_contract.wire import join_document
from support.commands import admin, application, attach_plan
from support.projects import from_template
from support.runner import database_request, request_for, run_runner

BLOCK = 8192


@pytest.fixture
def project(tmp_path):
    return from_template(tmp_path / "project")


def facts(project, database, **options):
    request = request_for(database_request(**options), mode=Mode.PLAN, tells_facts=True)
    return facts_of(run_runner(project, request, {"main": database.url()}))


def facts_of(run):
    assert run.exit_code == 0, run.stderr
    plan = run.result.plan
    if run.result.plan_sha256:
        plan = Plan.from_json(join_document(run.result.plan_sha256, run.stdout.splitlines()))
    return plan.databases[0].facts


def execute(database, *statements):
    with psycopg.connect(database.address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_tables_that_are_touched_have_their_sizes_and_others_are_not_told(project, database):
    execute(
        database,
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.orders (id int PRIMARY KEY, note text)",
        "INSERT INTO shop.orders SELECT i, 'x' FROM generate_series(1, 5000) i",
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE part_one PARTITION OF parted FOR VALUES FROM (0) TO (100000)",
        "CREATE TABLE part_two PARTITION OF parted FOR VALUES FROM (100000) TO (200000)",
        "INSERT INTO parted SELECT i * 100 FROM generate_series(0, 1999) i",
        "CREATE TABLE empty (id int)",
        "CREATE TABLE untouched (id int)",
        "VACUUM ANALYZE",
        "CREATE TABLE unknown (id int) WITH (autovacuum_enabled = false)",
        "CREATE TABLE loaded (id int PRIMARY KEY) WITH (autovacuum_enabled = false)",
        "INSERT INTO loaded SELECT generate_series(1, 5000)",
    )
    project.revision(
        "a1",
        """
        op.execute("UPDATE shop.orders SET note = 'y'")
        op.add_column("parted", sa.Column("note", sa.Text))
        op.add_column("empty", sa.Column("note", sa.Text))
        name = "unk" + "nown"
        op.add_column(name, sa.Column("note", sa.Text))
        op.add_column("loaded", sa.Column("note", sa.Text))
        """,
    )
    told = facts(project, database)
    sizes = {(one.schema, one.name): (one.rows, one.bytes) for one in told.tables}
    orders, indexes = sizes.pop(("shop", "orders"))
    assert (told.tables_known, orders) == (True, 5000)
    assert indexes > 5000 * 30
    assert indexes % BLOCK == 0
    parted = sizes.pop(("public", "parted"))
    assert parted[0] == 2000
    assert parted[1] >= 2 * BLOCK
    assert sizes.pop(("public", "loaded")) == (5000, None)
    assert sizes == {("public", "empty"): (0, 0), ("public", "unknown"): (None, None)}


def test_which_columns_have_a_default_is_told_of_those_that_are_named(project, database):
    execute(
        database,
        "CREATE TABLE orders (id serial, status text DEFAULT 'new', \"Odd, name\" int DEFAULT 1, note text, "
        "other int DEFAULT 2, twice int GENERATED ALWAYS AS (2) STORED, gone int DEFAULT 1)",
        "ALTER TABLE orders DROP COLUMN gone",
        "CREATE TABLE plain (id int, status text)",
    )
    project.revision(
        "a1",
        """
        op.execute("UPDATE orders SET status = 'old', note = 'x', \\"Odd, name\\" = 3 WHERE gone")
        op.execute("UPDATE plain SET status = 'old'")
        """,
    )
    tables = {one.name: one.defaults for one in facts(project, database).tables}
    assert tables == {"orders": ("status", "Odd, name"), "plain": ()}


LEFT = """
    headway.add_column_with_backfill("books", sa.Column("shelf", sa.Text), "'S' || (pages / 10)")
    headway.add_column_with_backfill("books", sa.Column("Odd, name", sa.Text), "lower(title)")
    headway.rename_column_expand("books", "title", "name")
    headway.change_type_expand("books", "price", sa.Numeric(12, 2))
    headway.rename_column_expand("books", "author", "writer")
    headway.rename_column_contract("books", "author", "writer")
    headway.add_column_with_backfill("papers", sa.Column("shelf", sa.Text), "'P'")
    headway.stop_filling_column("papers", "shelf")
"""


def test_triggers_that_applied_revisions_left_are_told_with_the_columns_that_they_name(project, database):
    books = "(id int PRIMARY KEY, pages int, title text, price int, author text)"
    execute(database, f"CREATE TABLE books {books}", f"CREATE TABLE papers {books}")
    project.revision("a1", f"import headway\n{textwrap.dedent(LEFT)}")
    migrate = request_for(database_request(), mode=Mode.MIGRATE)
    run = run_runner(project, migrate, {"main": database.url()})
    assert run.exit_code == 0, run.stderr
    execute(
        database,
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER zz_headway_own BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION own()",
    )
    project.revision(
        "a2",
        """
        for column in ("pages", "title", "author", "price"):
            op.drop_column("books", column)
        op.drop_column("papers", "shelf")
        """,
    )
    filled = TriggerFacts("add_column_with_backfill", ("shelf",), ("'S' || (pages / 10)",))
    odd = TriggerFacts("add_column_with_backfill", ("Odd, name",), ("lower(title)",))
    renamed = TriggerFacts("rename_column_expand", ("title", "name"))
    retyped = TriggerFacts("change_type_expand", ("price", "price__new"))

    def told():
        return {one.name: one.triggers for one in facts(project, database).tables}

    assert told() == {"books": (odd, filled, retyped, renamed), "papers": ()}
    execute(
        database,
        'ALTER TABLE books DISABLE TRIGGER "zz_headway_fill_shelf_insert"',
        'ALTER TABLE books DISABLE TRIGGER "zz_headway_fill_shelf_update"',
        'DROP TRIGGER "zz_headway_fill_Odd, name_insert" ON books',
    )
    assert told()["books"] == (odd, retyped, renamed)


def test_a_revision_that_would_be_taken_back_is_told_with_what_its_downgrade_does(project, database):
    project.revision("a1", "op.execute('SELECT 1')")
    project.revision("a2", "op.execute('SELECT 2')", "op.execute('SELECT 3')")
    (up, _) = facts(project, database).revisions
    assert not up.is_downgrade
    migrate = request_for(database_request(), mode=Mode.MIGRATE)
    assert run_runner(project, migrate, {"main": database.url()}).exit_code == 0
    down = request_for(
        database_request(target="a1"), mode=Mode.PLAN, tells_facts=True, when_ahead=WhenAhead.DOWNGRADE
    )
    (told,) = facts_of(run_runner(project, down, {"main": database.url()})).revisions
    assert (told.revision, told.is_downgrade) == ("a2", True)
    assert [one.sql for one in told.statements] == ["SELECT 3"]


def test_the_look_waits_for_nobody_who_locks_a_table(project, database):
    execute(database, "CREATE TABLE orders (id int)")
    project.revision("a1", "op.execute('DROP TABLE orders')")
    with psycopg.connect(database.address) as blocker:
        blocker.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        told = facts(project, database)
    assert [one.name for one in told.tables] == ["orders"]


def test_headways_own_operations_are_told_in_their_script_form_and_touch_no_database(project, database):
    execute(database, "CREATE TABLE orders (id int PRIMARY KEY, note text)")
    project.revision(
        "a1",
        """
        import headway
        headway.create_index_concurrently("orders_note", "orders", ["note"])
        headway.backfill("orders", set_={"note": "'x'"}, where="note IS NULL")
        headway.set_not_null_online("orders", "note")
        """,
    )
    (revision,) = facts(project, database).revisions
    assert revision.not_renderable == ""
    assert {one.line for one in revision.statements} == {13, 14, 15}
    index = [one for one in revision.statements if "CREATE INDEX CONCURRENTLY" in one.sql]
    assert [one.autocommit for one in index] == [True]
    assert {"headway.backfill", "headway.set_not_null_online"} <= {call.name for call in revision.calls}
    assert not any(one.lost_parameters for one in revision.statements)
    assert database.rows("SELECT count(*) FROM pg_indexes WHERE indexname = 'orders_note'") == [(0,)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "pg8000"])
def test_no_driver_connects_while_a_revision_is_rendered(project, database, driver):
    address = database.address
    code = {
        "psycopg": f"from psycopg import connect; connect({address!r})",
        "psycopg2": f"from psycopg2 import connect; connect({address!r})",
        "asyncpg": f"import asyncio, asyncpg; asyncio.run(asyncpg.connect({address!r}))",
        "pg8000": f"sa.create_engine({database.url('pg8000')!r}).connect()",
    }[driver]
    project.revision("a1", f"import os\nos.environ.get('X')\n{code}")
    (revision,) = facts(project, database).revisions
    assert revision.not_renderable == "line 14 connects to something"


def test_a_connection_that_is_open_already_is_not_used_either(project, database):
    execute(database, "CREATE TABLE orders (id int)")
    pooled = "kept = engine_from_config({'sqlalchemy.url': config.get_main_option('sqlalchemy.url')})"
    project.env.write_text(
        f"{project.env.read_text()}\n{pooled}\nkept.connect().close()\nconfig.kept = kept\n"
    )
    project.revision(
        "a1",
        """
        from alembic import context
        with context.config.kept.connect() as connection:
            connection.execute(sa.text("DROP TABLE orders"))
        """,
    )
    (revision,) = facts(project, database).revisions
    assert revision.not_renderable == "line 14 uses a database connection of its own"
    assert database.tables() == {"orders"}


def test_a_command_is_told_by_its_files_and_nothing_of_it_is_tried(tmp_path, database):
    project = application(tmp_path)
    project.revision(
        "a1", "open('tried', 'w')\nop.execute('DROP TABLE IF EXISTS orders')", mark="post_deploy = True"
    )
    run = attach_plan(project, database.url(), admin(project), tells_facts=True)
    (revision,) = facts_of(run).revisions
    assert (revision.statements, revision.post_deploy) == ((), True)
    assert (
        revision.not_renderable
        == "revisions that the application's own command runs are not tried without it"
    )
    assert [call.name for call in revision.calls] == ["open", "alembic.op.execute"]
    assert not list(project.folder.rglob("tried"))
