"""Where plain Alembic succeeds, the runner leaves the same database."""

from __future__ import annotations

import pytest

from support.plain import plain_alembic
from support.projects import from_template, loop_over_databases
from support.runner import database_request, migrate, request_for, run_runner

CATALOGUE = (
    "SELECT 'column', table_name, column_name, data_type, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public' "
    "UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public' "
    "ORDER BY 1, 2, 3"
)
REVISIONS = {
    "users": """
        op.create_table('users', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(50)))
    """,
    "rows": """
        op.bulk_insert(sa.table('users', sa.column('name')), [{'name': 'Ada'}, {'name': 'Grace'}])
    """,
    "index": """
        with op.get_context().autocommit_block():
            op.create_index('users_name', 'users', ['name'], postgresql_concurrently=True)
    """,
    "upper": """
        op.execute("UPDATE users SET name = upper(name)")
        op.alter_column('users', 'name', nullable=False)
    """,
}


def with_history(project):
    for name, upgrade in REVISIONS.items():
        project.revision(name, upgrade)
    return project


def go_plainly(project, url=""):
    done = plain_alembic(project, url)
    assert done.returncode == 0, done.stderr


def content(database, version_table="alembic_version"):
    versions = sorted(database.rows(f"SELECT version_num FROM {version_table}"))
    return database.rows(CATALOGUE), versions, database.rows("SELECT id, name FROM users ORDER BY id")


@pytest.mark.parametrize(
    ("template", "driver"), [("generic", "psycopg"), ("generic", "psycopg2"), ("async", "asyncpg")]
)
def test_a_history_ends_in_the_same_database(tmp_path, make_database, template, driver):
    project = with_history(from_template(tmp_path, template))
    theirs, ours = make_database("plain"), make_database("runner")
    go_plainly(project, theirs.url(driver))
    run = migrate(project, ours.url(driver))
    assert run.exit_code == 0, run.stderr
    assert content(ours) == content(theirs)


def test_a_loop_over_databases_ends_in_the_same_databases_one_run_each(tmp_path, make_database):
    names = ("main", "audit")
    theirs, ours = ({name: make_database(name) for name in names} for _ in range(2))
    go_plainly(with_history(loop_over_databases(tmp_path / "plain", {n: d.url() for n, d in theirs.items()})))
    urls = {name: one.url() for name, one in ours.items()}
    project = with_history(loop_over_databases(tmp_path / "runner", urls))
    for name in names:
        run = run_runner(project, request_for(database_request(name)), urls)
        assert run.exit_code == 0, run.stderr
        table = f"alembic_version_{name}"
        assert content(ours[name], table) == content(theirs[name], table)


def test_either_may_go_on_where_the_other_stopped(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    assert migrate(project, database.url()).exit_code == 0
    go_plainly(project.tables("a2"), database.url())
    run = migrate(project.tables("a3"), database.url())
    assert (run.result.from_revision, run.result.applied) == (("a2",), ("a3",))
