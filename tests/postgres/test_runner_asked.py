"""A run that asks before each revision: nothing of it runs before it is let go, and it holds nobody up meanwhile."""

from __future__ import annotations

import pytest

from headway_contract.events import Asked, Held, RevisionApplied, RevisionStarted
from headway_contract.result import Outcome
from support.backfilling import Steering
from support.commands import ENV, admin
from support.projects import from_template
from support.runner import database_request, request_for, start
from support.waiting import wait_until

ONE_TRANSACTION = """
    import os
    from alembic import context
    from sqlalchemy import create_engine

    with create_engine(os.environ["DATABASE_URL"]).begin() as connection:
        context.configure(connection=connection)
        context.run_migrations()
"""


class Site:
    """A project of two revisions, and the channel by which it is let go."""

    def __init__(self, folder, database):
        self.database = database
        self.project = from_template(folder / "project").tables("first", "second")
        self.steering = Steering(folder / "control")

    def start(self, url_env="", **options):
        known = {"heartbeat_seconds": 1, "grace_seconds": 60, "asks_before_revisions": True}
        request = request_for(database_request(export_url_as=url_env), **{**known, **options})
        return start(self.project, self.steering.asked(request), {"main": self.database.url()})


@pytest.fixture
def site(tmp_path, database):
    return Site(tmp_path, database)


def revisions(running, kind):
    return [event.revision for event in running.events() if isinstance(event, kind)]


def wait_for_more(running, kind):
    seen = len(revisions(running, kind)) if kind is Asked else 0
    wait_until(lambda: len(revisions(running, kind)) > seen, 60, f"another {kind.__name__}")


def test_each_revision_waits_until_it_is_let_go(site):
    running = site.start()
    running.wait_for(Asked, revision="first")
    wait_for_more(running, Asked)
    assert not revisions(running, RevisionStarted)
    assert "first" not in site.database.tables()
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    assert revisions(running, RevisionApplied) == ["first"], "what is done is told before the wait"
    site.steering.wish(may_go="second")
    run = running.finish()
    assert (run.result.outcome, run.result.applied) == (Outcome.SUCCEEDED, ("first", "second"))


def test_it_keeps_no_transaction_open_while_it_waits(site):
    running = site.start()
    running.wait_for(Asked, revision="first")
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    ours = "datname = current_database() AND state = 'idle in transaction'"
    assert site.database.scalar(f"SELECT count(*) FROM pg_stat_activity WHERE {ours}") == 0
    site.steering.wish(may_go="second")
    assert running.finish().result.outcome is Outcome.SUCCEEDED


def test_a_stop_ends_the_wait_and_the_next_run_asks_again(site):
    running = site.start()
    running.wait_for(Asked, revision="first")
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    site.steering.wish(may_go="first", stop=True, reason="The run was aborted.")
    result = running.finish().result
    assert (result.outcome, result.applied, result.failure) == (Outcome.STOPPED, ("first",), None)
    assert "second" not in site.database.tables()
    site.steering = Steering(site.steering.file.with_name("other-pod"))
    again = site.start()
    again.wait_for(Asked, revision="second")
    site.steering.wish(may_go="second")
    assert again.finish().result.outcome is Outcome.SUCCEEDED


def test_a_paused_run_holds_although_it_was_let_go(site):
    running = site.start()
    running.wait_for(Asked, revision="first")
    site.steering.wish(may_go="first", pause="by hand")
    running.wait_for(Held, revision="first", reason="by hand")
    assert not revisions(running, RevisionStarted)
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    site.steering.wish(may_go="second")
    assert running.finish().result.outcome is Outcome.SUCCEEDED


def test_revisions_that_share_a_transaction_are_all_asked_for_before_the_first(site):
    site.project.write_env(ONE_TRANSACTION)
    running = site.start("DATABASE_URL")
    running.wait_for(Asked, revision="first")
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    assert not revisions(running, RevisionStarted)
    site.steering.wish(may_go="second")
    run = running.finish()
    assert run.result.outcome is Outcome.SUCCEEDED
    kinds = [kind for kind in run.kinds() if kind in ("Asked", "RevisionStarted")]
    assert kinds.index("RevisionStarted") > max(at for at, kind in enumerate(kinds) if kind == "Asked")


def test_an_applications_own_command_asks_in_the_same_way(site):
    command = admin(site.project.write_env(ENV))
    running = site.start("DATABASE_URL", command=command)
    running.wait_for(Asked, revision="first")
    assert not revisions(running, RevisionStarted)
    site.steering.wish(may_go="first")
    running.wait_for(Asked, revision="second")
    site.steering.wish(may_go="second")
    assert running.finish().result.applied == ("first", "second")


def test_a_run_that_is_not_asked_to_ask_waits_for_nobody(site):
    run = site.start(asks_before_revisions=False).finish()
    assert run.result.outcome is Outcome.SUCCEEDED
    assert not run.of(Asked)
