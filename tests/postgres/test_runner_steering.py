"""A backfill and the time between revisions, steered while they run: pause, pace, stop, and what is told of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from headway_contract.backfill import BackfillSettings
from headway_contract.events import (
    BackfillFinished,
    BackfillProgressed,
    BackfillStarted,
    Heartbeat,
    Held,
    Notice,
    RevisionStarted,
    Steered,
    Stopping,
)
from headway_contract.exit_codes import ExitCode
from headway_contract.result import Outcome
from support.backfilling import ROWS, Steering, fill_users, make_users
from support.commands import ENV, admin
from support.projects import from_template
from support.runner import database_request, request_for, run_runner, start
from support.waiting import wait_until

DRIVERS = {"psycopg": "generic", "psycopg2": "generic", "asyncpg": "async", "pg8000": "generic"}
OUTER = """
    import os
    from alembic import context
    from sqlalchemy import create_engine

    with create_engine(context.config.get_main_option("sqlalchemy.url")).begin() as connection:
        context.configure(connection=connection)
        context.run_migrations()
"""


class Site:
    """A table to fill, a project that does, and the channel by which it is steered."""

    def __init__(self, folder, database, template="generic"):
        self.folder, self.database, self.go = folder, database, folder / "go"
        self.project = from_template(folder / "project", template)
        self.steering = Steering(folder / "control")
        make_users(database)

    def request(self, **options):
        known = {"heartbeat_seconds": 1, "grace_seconds": 60}
        return self.steering.asked(request_for(database_request(), **{**known, **options}))

    def start(self, driver="psycopg", **options):
        return start(self.project, self.request(**options), {"main": self.database.url(driver)})

    def run(self, driver="psycopg", **options):
        return run_runner(self.project, self.request(**options), {"main": self.database.url(driver)})

    @property
    def filled(self):
        return self.database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL")

    @property
    def version(self):
        return self.database.scalar("SELECT version_num FROM alembic_version")


@pytest.fixture
def site(tmp_path, database):
    return Site(tmp_path, database)


def is_held(running):
    told = [event for event in running.events() if isinstance(event, BackfillProgressed)]
    return bool(told) and told[-1].throttled_by.startswith("paused: ")


def wait_for_more(running, kind):
    """One more event of a kind than there are now."""
    seen = sum(isinstance(event, kind) for event in running.events())
    wait_until(lambda: sum(isinstance(event, kind) for event in running.events()) > seen, 60, kind.__name__)


def test_what_a_backfill_tells_comes_as_events_and_its_record_in_the_result(site):
    fill_users(site.project, site.go)
    site.go.touch()
    run = site.run(backfill=BackfillSettings("Fast", 3))
    assert run.result.outcome is Outcome.SUCCEEDED
    (started,) = run.of(BackfillStarted)
    assert (started.database, started.table, started.columns, started.rows_total) == (
        "main", "users", "status", ROWS,
    )  # fmt: skip
    first = run.of(BackfillProgressed)[0]
    assert (first.rows_done, first.percent, first.workers, first.throttled_by) == (0, 0.0, 3, "Fast")
    (finished,) = run.of(BackfillFinished)
    assert run.result.backfills == (finished.record,)
    assert (run.result.backfills_count, finished.record.rows, finished.record.batches) == (1, ROWS, 7)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_backfill_holds_while_it_is_paused_and_goes_on_after_it(tmp_path, database, driver):
    site = Site(tmp_path, database, DRIVERS[driver])
    fill_users(site.project, site.go)
    running = site.start(driver)
    running.wait_for(BackfillProgressed)
    sequence = site.steering.wish(pause="by hand")
    running.wait_for(Steered, control_sequence=sequence, pause="by hand")
    wait_until(lambda: is_held(running), 60, "the hold")
    before = site.filled
    wait_for_more(running, Heartbeat)
    assert site.filled == before < ROWS
    site.go.touch()
    site.steering.wish()
    run = running.finish()
    assert run.result.outcome is Outcome.SUCCEEDED, run.stderr
    assert site.filled == ROWS


def test_a_stop_names_what_the_revision_has_committed_before_its_backfill(site):
    """The next run begins that revision from its top, and an ADD COLUMN would not happen twice."""
    site.database.execute("CREATE TABLE gate AS SELECT 1 AS held")
    site.project.revision(
        "filled",
        "op.execute('ALTER TABLE users ADD COLUMN extra int'); import headway; "
        "headway.backfill('users', {'extra': '1'}, 'extra IS NULL', signals={'gate': 'SELECT count(*) FROM gate'})",
    )
    running = site.start()
    running.wait_for(BackfillStarted)
    site.steering.wish(stop=True, reason="The specification changed.")
    result = running.finish().result
    assert (result.outcome, result.failure) == (Outcome.STOPPED, None)
    assert "Before that the revision committed: ALTER TABLE users ADD COLUMN extra int." in result.notice
    assert "begins the revision again" in result.notice


def test_the_pace_changes_while_it_runs(site):
    fill_users(site.project, site.go)
    running = site.start(backfill=BackfillSettings("Gentle"))
    running.wait_for(BackfillProgressed, throttled_by="Gentle")
    sequence = site.steering.wish(backfill=BackfillSettings("Fast", 4))
    running.wait_for(Steered, control_sequence=sequence, pace="Fast")
    running.wait_for(BackfillProgressed, throttled_by="Fast", workers=4)
    site.go.touch()
    assert running.finish().result.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_stop_ends_a_backfill_at_a_batch_and_the_next_run_goes_on(tmp_path, database, driver):
    site = Site(tmp_path, database, DRIVERS[driver])
    fill_users(site.project.tables("first"), site.go)
    running = site.start(driver)
    wait_until(lambda: site.filled > 10, 60, "some rows")
    site.steering.wish(stop=True, reason="The specification changed.")
    run = running.finish()
    result = run.result
    assert (result.outcome, run.exit_code) == (Outcome.STOPPED, ExitCode.STOPPED), run.stderr
    assert (result.failure, result.applied, result.pending_count) == (None, ("first",), 1)
    assert result.notice.startswith("It stopped in the backfill of users.status at ")
    assert (
        result.notice.endswith("% done. It goes on from there.")
        or "rows updated. It goes on" in result.notice
    )
    assert 0 < site.filled < ROWS
    assert site.version == "first"
    site.go.touch()
    site.steering = Steering(tmp_path / "other-pod")
    assert site.run(driver).result.outcome is Outcome.SUCCEEDED
    assert (site.filled, site.version) == (ROWS, "fill")


def test_what_a_revision_has_committed_before_its_backfill_does_not_make_a_stop_a_failure(site):
    fill_users(
        site.project, site.go, before="op.execute('ALTER TABLE users ADD COLUMN IF NOT EXISTS extra int')\n"
    )
    running = site.start()
    wait_until(lambda: site.filled > 10, 60, "some rows")
    site.steering.wish(stop=True, reason="because")
    run = running.finish()
    assert (run.result.outcome, run.result.failure) == (Outcome.STOPPED, None), run.stderr


@pytest.mark.parametrize("place", ["backfill", "revisions"])
def test_sigterm_ends_a_hold_at_once_and_nothing_is_lost(site, place):
    fill_users(site.project.tables("first"), site.go)
    if place == "revisions":
        site.steering.wish(pause="by hand")
    running = site.start()
    if place == "revisions":
        running.wait_for(Held, reason="by hand", revision="first")
    else:
        running.wait_for(BackfillProgressed)
        site.steering.wish(pause="by hand")
        wait_until(lambda: is_held(running), 60, "the hold")
    running.terminate(signal.SIGTERM)
    run = running.finish()
    assert run.result.outcome is Outcome.STOPPED, run.stderr
    assert site.filled < ROWS
    site.go.touch()
    site.steering = Steering(site.folder / "other-pod")
    assert site.run().result.outcome is Outcome.SUCCEEDED
    assert site.filled == ROWS


def test_a_pause_holds_between_revisions_and_is_answered_with_its_number(site):
    site.project.tables("first", "second")
    sequence = site.steering.wish(pause="by hand")
    running = site.start()
    running.wait_for(Held, reason="by hand", control_sequence=sequence, revision="first")
    wait_for_more(running, Heartbeat)
    assert not [event for event in running.events() if isinstance(event, RevisionStarted)]
    assert site.database.tables() <= {"users", "alembic_version"}
    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' AND datname = %s"
    assert site.database.scalar(idle, (site.database.name,)) == 0
    sequence = site.steering.wish(pause="the windows are closed")
    running.wait_for(Held, reason="the windows are closed", control_sequence=sequence)
    sequence = site.steering.wish()
    running.wait_for(Held, reason="", control_sequence=sequence)
    assert running.finish().result.applied == ("first", "second")


def test_a_stop_that_ends_a_pause_lets_no_revision_begin(site):
    site.project.tables("first")
    site.steering.wish(pause="by hand")
    running = site.start()
    running.wait_for(Held, reason="by hand")
    sequence = site.steering.wish(stop=True, reason="The specification changed.")
    run = running.finish()
    assert run.result.outcome is Outcome.STOPPED
    assert run.of(Stopping) == [Stopping(sequence, "The specification changed.")]
    assert not run.of(RevisionStarted)


def test_a_pause_that_would_keep_locks_is_told_and_not_obeyed(site):
    site.project.write_env(OUTER).tables("first", "second")
    site.steering.wish(pause="by hand")
    run = site.run()
    assert run.result.outcome is Outcome.SUCCEEDED
    (notice,) = run.of(Notice)
    assert "env.py keeps a transaction open" in notice.message
    assert notice.warning
    assert not run.of(Held)


def test_a_half_written_control_file_does_not_end_a_pause(site):
    site.project.tables("first")
    site.steering.wish(pause="by hand")
    running = site.start()
    running.wait_for(Held, reason="by hand")
    site.steering.file.write_text('{"sequence":2,"pau')
    wait_for_more(running, Heartbeat)
    assert not [event for event in running.events() if isinstance(event, RevisionStarted)]
    site.steering.wish()
    assert running.finish().result.applied == ("first",)


@pytest.mark.parametrize("place", ["backfill", "revisions"])
def test_an_applications_own_command_is_steered_in_the_same_way(site, place):
    command = admin(site.project.write_env(ENV))
    if place == "backfill":
        fill_users(site.project, site.go)
    else:
        site.project.tables("first")
        site.steering.wish(pause="by hand")
    asked = request_for(database_request(export_url_as="DATABASE_URL"), command=command, heartbeat_seconds=1)
    running = start(site.project, site.steering.asked(asked), {"main": site.database.url()})
    if place == "backfill":
        running.wait_for(BackfillProgressed)
        site.steering.wish(pause="by hand")
        wait_until(lambda: is_held(running), 60, "the hold")
        before = site.filled
        wait_for_more(running, Heartbeat)
        assert site.filled == before < ROWS
        site.steering.wish(backfill=BackfillSettings("Gentle"))
        running.wait_for(BackfillProgressed, throttled_by="Gentle")
        site.steering.wish(stop=True, reason="because")
        run = running.finish()
        assert run.result.outcome is Outcome.STOPPED, run.stderr
        assert run.result.notice.startswith("It stopped in the backfill of users.status at ")
    else:
        running.wait_for(Held, reason="by hand", revision="first")
        site.steering.wish()
        run = running.finish()
        assert run.result.outcome is Outcome.SUCCEEDED, run.stderr


def test_a_pass_that_is_killed_in_a_backfill_is_no_revision_that_was_half_applied(site):
    fill_users(site.project.tables("first"), site.go)
    running = site.start()
    running.wait_for(BackfillProgressed)
    wait_until(lambda: site.filled > 10, 60, "some rows")
    process = running.process.pid
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    run = running.finish()
    assert run.result.failure is not None
    assert run.result.failure.name != "PartiallyApplied"
    site.go.touch()
    assert site.run().result.outcome is Outcome.SUCCEEDED
    assert site.filled == ROWS


def test_an_error_in_a_backfill_names_no_part_that_stayed_because_a_rerun_goes_on(site):
    fails = "SELECT 1 / (2 - (SELECT count(*) FROM users WHERE status IS NOT NULL) / 10)"
    fill_users(site.project, site.go, in_batch=f'connection.execute(sa.text("{fails}"))')
    run = site.run()
    assert run.result.failure is not None
    assert run.result.failure.name == "RevisionFailed"
    assert 0 < site.filled < ROWS


LOOP = """
    import pathlib, time
    for start in range(0, 2000, 2):
        op.execute(sa.text("UPDATE users SET status = 'new' WHERE id > :start AND id <= :end").bindparams(
            start=start, end=start + 2))
        if not pathlib.Path({go!r}).exists():
            time.sleep(0.02)
"""


def test_a_loop_of_the_revisions_own_is_told_with_its_rows_and_the_catalogs_estimate(site):
    site.database.execute("ANALYZE users")
    site.project.revision("loop", LOOP.format(go=str(site.go)))
    running = site.start()
    running.wait_for(BackfillProgressed, operation="UPDATE users", table="users", rows_total=ROWS)
    site.go.touch()
    run = running.finish()
    assert run.result.outcome is Outcome.SUCCEEDED, run.stderr
    told = run.of(BackfillProgressed)
    assert 0 < told[0].rows_done <= told[-1].rows_done <= ROWS
    assert all(one.percent is None and one.rows_per_second > 0 for one in told)
