"""A revision of operations as people run it: Alembic's command, and the runner."""

from __future__ import annotations

import psycopg

from headway_contract.events import Notice
from headway_contract.exit_codes import ExitCode
from support.catalog import catalog
from support.plain import plain_alembic
from support.projects import from_template
from support.runner import migrate

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text);
CREATE TABLE orders (id int PRIMARY KEY, user_id int);
INSERT INTO users SELECT i, 'U' || i FROM generate_series(1, 50) i;
INSERT INTO orders SELECT i, i FROM generate_series(1, 50) i
"""
UPGRADE = """
import headway
headway.add_column_with_backfill("users", sa.Column("email_lc", sa.Text, nullable=False), "lower(email)")
headway.create_index_concurrently("i", "users", ["email_lc"], unique=True)
op.create_index_concurrently("j", "orders", ["user_id"])
op.add_foreign_key_online("fk", "orders", "users", ["user_id"], ["id"])
op.add_check_online("positive", "orders", "id > 0")
op.create_table("after", sa.Column("id", sa.Integer, primary_key=True))
if headway.in_environment("production", otherwise="there is no table audit"):
    op.create_table("audit", sa.Column("id", sa.Integer, primary_key=True))
"""
OURS = ("alembic_version", "alembic_version_pkc", "headway_backfill", "headway_backfill_pkey")


def prepared(database):
    database.execute(SCHEMA)
    return database


def project(folder, upgrade=UPGRADE):
    return from_template(folder).revision("a1", upgrade)


def test_plain_alembic_and_the_runner_leave_the_same_catalog(tmp_path, make_database):
    plain, by_runner = prepared(make_database()), prepared(make_database())
    done = plain_alembic(project(tmp_path / "plain"), plain.url(), ENVIRONMENT="test")
    assert done.returncode == 0, done.stderr
    assert (
        "Skipped, because it is for production and ENVIRONMENT is test: there is no table audit"
        in done.stderr
    )
    run = migrate(project(tmp_path / "runner"), by_runner.url())
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("a1",)
    assert catalog(plain, *OURS) == catalog(by_runner, *OURS)
    assert plain.scalar("SELECT count(*) FROM users WHERE email_lc = lower(email)") == 50
    assert "after" in plain.tables()
    assert "audit" not in plain.tables()
    notices = [notice.message for notice in run.of(Notice)]
    assert any("Skipped, because it is for production" in one for one in notices)
    assert not any("rolled back" in one or "undone" in one for one in notices)


def test_a_lock_that_is_not_had_in_time_is_a_lock_timeout_of_the_run_that_names_the_blocker(
    tmp_path, database
):
    prepared(database)
    upgrade = """
    import headway
    from headway.short_locks import Patience
    quick = Patience(20, 1, 20, 0.01, 0.01, give_up_after_seconds=0.1)
    headway.set_not_null_online("users", "email", patience=quick)
    """
    reader = psycopg.connect(database.address, application_name="report")
    reader.execute("SELECT * FROM users")
    run = migrate(project(tmp_path, upgrade), database.url(), options={"lock_give_up_seconds": 1})
    assert run.exit_code == ExitCode.BUSY, run.result.failure
    assert run.result.failure.name == "LockTimeout"
    assert f"session {reader.info.backend_pid} (application report)" in run.result.failure.message
    assert "was not seen" not in run.result.failure.message
    reader.close()
    again = migrate(project(tmp_path / "again", upgrade), database.url())
    assert again.exit_code == 0, again.stderr


def test_a_transaction_of_env_py_is_refused_by_plain_alembic_with_what_to_do(tmp_path, database):
    prepared(database)
    one = project(tmp_path)
    one.env.write_text(one.env.read_text().replace("connectable.connect()", "connectable.begin()"))
    done = plain_alembic(one, database.url())
    assert done.returncode != 0
    assert "engine.connect() instead of engine.begin()" in done.stderr
    assert "email_lc" not in str(catalog(database))
