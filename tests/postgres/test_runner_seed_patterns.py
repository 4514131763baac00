"""The guide's own snippets, as the guide writes them: under the runner they keep their data on every driver."""

from __future__ import annotations

import pytest

from headway_contract.events import Notice, RevisionApplied, RevisionStarted
from headway_contract.exit_codes import ExitCode
from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.waiting import wait_until

DRIVERS = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}

BACKFILL = """
BATCH_SIZE = 100

def upgrade() -> None:
    op.add_column('users', sa.Column('status', sa.String(20), nullable=True))
    conn = op.get_bind()
    total_updated = 0
    while True:
        result = conn.execute(sa.text('''
            SELECT id FROM users WHERE status IS NULL LIMIT :batch_size FOR UPDATE SKIP LOCKED
        '''), {'batch_size': BATCH_SIZE})
        ids = [row[0] for row in result]
        if not ids:
            break
        conn.execute(sa.text('''
            UPDATE users SET status = CASE WHEN is_active THEN 'active' ELSE 'inactive' END
            WHERE id = ANY(:ids)
        '''), {'ids': ids})
        total_updated += len(ids)
        conn.commit()  # Commit per batch to release locks
        print(f"Backfilled {total_updated} rows...")
    op.execute("CREATE TABLE after_the_loop ()")

def downgrade() -> None:
    op.drop_column('users', 'status')
"""
INDEX = """
def upgrade() -> None:
    # Exit transaction block
    op.execute("COMMIT")
    op.execute('''
        CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_status
        ON users (status) WHERE status != 'cancelled'
    ''')

def downgrade() -> None:
    op.execute("COMMIT")
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS idx_users_status")
"""


def users(database, rows=1000):
    database.execute("CREATE TABLE users (id bigserial PRIMARY KEY, is_active boolean)")
    database.execute(f"INSERT INTO users (is_active) SELECT i % 2 = 0 FROM generate_series(1, {rows}) i")


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_batched_backfill_keeps_its_version_row_and_what_follows_the_loop(tmp_path, database, driver):
    users(database)
    project = from_template(tmp_path, DRIVERS[driver]).revision("fill", functions=BACKFILL)
    run = migrate(project, database.url(driver))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("fill",)
    assert run.of(RevisionApplied)[0].healed
    assert "after_the_loop" in database.tables()
    assert database.scalar("SELECT count(*) FROM users WHERE status IS NULL") == 0


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_concurrent_index_after_a_commit_is_built_and_what_follows_runs_as_usual(
    tmp_path, database, driver
):
    users(database)
    database.execute("ALTER TABLE users ADD COLUMN status text")
    project = from_template(tmp_path, DRIVERS[driver]).revision("idx", functions=INDEX)
    project.revision("next", "op.execute('CREATE TABLE next ()')")
    run = migrate(project, database.url(driver))
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == ("next",)
    assert database.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_users_status'::regclass")


def test_revisions_after_the_commit_snippet_are_transactions_again(tmp_path, database):
    users(database)
    database.execute("ALTER TABLE users ADD COLUMN status text")
    project = from_template(tmp_path).revision("idx", functions=INDEX)
    project.revision("broken", "op.execute('CREATE TABLE half ()'); op.execute('SELECT 1/0')")
    run = migrate(project, database.url())
    assert run.result.failure.name == "RevisionFailed"
    assert run.result.to_revision == ("idx",)
    assert "half" not in database.tables()


def test_a_concurrent_build_outlasts_the_lock_timeout(tmp_path, database):
    """A time-out would leave an invalid index where plain Alembic would have waited."""
    users(database)
    database.execute("ALTER TABLE users ADD COLUMN status text")
    writer = database.connect(autocommit=False)
    writer.execute("UPDATE users SET status = 'x' WHERE id = 1")
    project = from_template(tmp_path).revision("idx", functions=INDEX)
    project.revision(
        "next", "op.execute(\"CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value\")"
    )
    running = start(
        project, request_for(database_request(), lock_timeout_seconds=1), {"main": database.url()}
    )
    running.wait_for(RevisionStarted, revision="idx")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND query LIKE '%CONCURRENTLY%' AND now() - query_start > interval '1.5 s'"
    )
    wait_until(lambda: database.scalar(waiting), what="a build that waits for longer than the time-out")
    writer.rollback()
    run = running.finish()
    assert run.exit_code == 0, run.stderr
    assert database.rows("SELECT value FROM seen") == [("1s",)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_interrupted_concurrent_build_is_done_again_not_skipped(tmp_path, database, driver):
    users(database)
    database.execute("ALTER TABLE users ADD COLUMN status text")
    writer = database.connect(autocommit=False)
    writer.execute("UPDATE users SET status = 'x' WHERE id = 1")
    project = from_template(tmp_path, DRIVERS[driver]).revision("idx", functions=INDEX)
    running = start(project, request_for(database_request(), grace_seconds=2), {"main": database.url(driver)})
    running.wait_for(RevisionStarted, revision="idx")
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    wait_until(lambda: database.scalar(invalid), what="the unfinished index")
    running.terminate()
    first = running.finish()
    writer.rollback()
    assert first.exit_code == ExitCode.STOPPED, first.stderr
    assert database.scalar(invalid) == 1
    second = migrate(project, database.url(driver))
    assert second.exit_code == 0, second.stderr
    assert database.scalar(invalid) == 0
    assert any("idx_users_status" in notice.message for notice in second.of(Notice))


def test_an_invalid_index_that_a_revision_leaves_is_never_a_success(tmp_path, database):
    users(database)
    database.execute("INSERT INTO users (id, is_active) VALUES (5000, true), (5001, true)")
    project = from_template(tmp_path).revision(
        "idx",
        """
        with op.get_context().autocommit_block():
            try:
                op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_active ON users (is_active)")
            except Exception:
                pass
        """,
    )
    run = migrate(project, database.url())
    assert run.result.failure.name == "PartiallyApplied"
    assert "one_active" in run.result.failure.message


def test_a_failed_concurrent_build_names_the_index_that_it_left(tmp_path, database):
    users(database)
    project = from_template(tmp_path).revision(
        "idx",
        """
        with op.get_context().autocommit_block():
            op.create_index("one_active", "users", ["is_active"], unique=True, postgresql_concurrently=True)
        """,
    )
    run = migrate(project, database.url())
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert "one_active" in run.result.failure.message


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_the_environment_specific_revision_does_what_its_environment_asks(tmp_path, database, environment):
    database.execute("CREATE TABLE events (timestamp timestamptz)")
    functions = """
    import os

    def upgrade() -> None:
        if os.getenv('ENVIRONMENT') == 'production':
            op.execute("COMMIT")
            op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_prod ON events (timestamp DESC)")
        else:
            op.create_index('idx_other', 'events', ['timestamp'])

    def downgrade() -> None:
        pass
    """
    project = from_template(tmp_path).revision("prod_idx", functions=functions)
    run = migrate(project, database.url(), options={"environment": environment})
    assert run.exit_code == 0, run.stderr
    wanted = "idx_prod" if environment == "production" else "idx_other"
    assert database.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'events'") == [(wanted,)]
