"""Who holds the migration lock: a run that is at work is never called idle."""

from __future__ import annotations

import pytest

from headway_runner.locks.lock_holder import told_holder
from headway_runner.statements.blockers import Blocker

KEEPER = Blocker(
    120,
    "headway:3f9c2e/main",
    "app",
    "idle",
    statement="SELECT pg_try_advisory_lock(7777, 1)",
    state_seconds=14,
)


def test_a_run_whose_backfill_works_beside_the_lock_is_told_by_what_it_works_on():
    worker = Blocker(
        121, KEEPER.application, "app", "active", statement="UPDATE users SET n = 1", state_seconds=2
    )
    assert told_holder(KEEPER, worker) == (
        "a running Headway, run 3f9c2e: session 120 (application headway:3f9c2e/main, user app), which keeps the "
        "lock for session 121: active for 2 s, statement UPDATE users"
    )


@pytest.mark.parametrize("state", ["idle", "idle in transaction"])
def test_a_worker_between_two_batches_is_no_idle_one_either(state):
    worker = Blocker(
        121, KEEPER.application, "app", state, statement="UPDATE users SET n = 1", state_seconds=0
    )
    said = told_holder(KEEPER, worker)
    assert said.endswith("which keeps the lock for session 121, between two statements for 0 s")
    assert "idle" not in said


def test_a_run_whose_own_code_is_busy_is_between_two_statements():
    assert told_holder(KEEPER) == (
        "a running Headway, run 3f9c2e: session 120 (application headway:3f9c2e/main, user app), "
        "between two statements for 14 s"
    )


def test_a_revision_that_runs_in_the_session_with_the_lock_is_told_itself():
    busy = Blocker(
        120, KEEPER.application, "app", "active", statement="CREATE INDEX ix ON users", state_seconds=5
    )
    worker = Blocker(121, KEEPER.application, "app", "idle", state_seconds=60)
    assert told_holder(busy, worker).endswith(": active for 5 s, statement CREATE INDEX ix ON users")


def test_of_a_session_with_another_name_it_is_said_what_the_server_shows():
    other = Blocker(120, "shop", "app", "idle", statement="SELECT 1", state_seconds=14)
    assert (
        told_holder(other) == "session 120 (application shop, user app): idle for 14 s, last statement SELECT"
    )


def test_where_only_headway_takes_such_a_lock_it_is_said_without_a_name():
    assert told_holder(Blocker(7, user="app", state="sleep", state_seconds=3), is_ours=True) == (
        "a running Headway: session 7 (user app), between two statements for 3 s"
    )
