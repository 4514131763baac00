"""Who holds the migration lock, in words. Pure.

A run that is at work holds it with a session that may do nothing itself: a backfill works in sessions beside it. So
that it is idle says nothing of the run, and what the others of its sessions do is told instead.
"""

from dataclasses import replace

from headway_runner.statements.blockers import Blocker, told

OF_HEADWAY = "headway:"
"""The beginning of the names of our sessions, before the run; see ``sessions.application_name``."""
NOTHING_TO_DO = ("idle", "sleep")
"""How PostgreSQL and MySQL call a session that waits for its client."""
BETWEEN_STATEMENTS = (*NOTHING_TO_DO, "idle in transaction")
"""The same of a run that is at work."""


def told_holder(holder: Blocker, worker: Blocker | None = None, is_ours: bool = False) -> str:
    """The session that has the lock, and the one of the same run that works. ``is_ours``: nobody else takes it."""
    is_named = holder.application.startswith(OF_HEADWAY)
    if not (is_named or is_ours):
        return told(holder)
    run = holder.application.removeprefix(OF_HEADWAY).partition("/")[0]
    who = f"a running Headway, run {run}: " if is_named else "a running Headway: "
    if worker is None or holder.state not in NOTHING_TO_DO:
        return who + _at_work(holder)
    at_work = _at_work(replace(worker, application="", user=""))
    return f"{who}{told(_bare(holder))}, which keeps the lock for {at_work}"


def _at_work(session: Blocker) -> str:
    if session.state not in BETWEEN_STATEMENTS:
        return told(session)
    since = "" if session.state_seconds is None else f" for {max(session.state_seconds, 0)} s"
    return f"{told(_bare(session))}, between two statements{since}"


def _bare(session: Blocker) -> Blocker:
    return replace(session, state="", statement="", state_seconds=None, transaction_seconds=None)
