"""Notices of runners as events of the resource: what a person should know and that is no failure. Pure.

Those of a plan come with its result; all others from the log, which is advisory: what is lost there is lost. Within a
run each is told once of a database, however many of its Jobs tell it, and of a Job no more than :data:`MOST_NOTICES`.
"""

import hashlib
from collections.abc import Iterator

from headway_contract.events import Notice
from headway_contract.result import shorten
from headway_operator.planner.actions import TellUser
from headway_operator.planner.snapshot import JobView, Snapshot

MOST_NOTICES = 10
NOTE_CHARACTERS = 1000


def notices(snapshot: Snapshot) -> tuple[TellUser, ...]:
    """All that are known now; whoever posts them remembers which ones were."""
    told = [one for job in snapshot.jobs for one in _of_job(snapshot, job)]
    return tuple({one.key: one for one in told}.values())


def _of_job(snapshot: Snapshot, job: JobView) -> Iterator[TellUser]:
    progress = snapshot.progress_of(job.name)
    heard = () if progress is None else progress.notices
    for notice in (*_of_plan(snapshot, job), *heard):
        yield _event(job, notice)
    if progress is not None and progress.has_further_notices:
        text = f"there are further notices: headway logs {' '.join((snapshot.migration.name, job.database)).strip()}"
        yield TellUser("Notice", text, key=f"{job.run}/{job.name}/notice/further")


def _of_plan(snapshot: Snapshot, job: JobView) -> tuple[Notice, ...]:
    """Of one whose result the status does not tell yet."""
    known, plan = snapshot.migration.status.plan, job.result.plan if job.result is not None else None
    if plan is None or (known is not None and known.completion_time and known.job_name == job.name):
        return ()
    found = (
        Notice(one.name, text, warning=place < one.warnings)
        for one in plan.databases
        for place, text in enumerate(one.notices)
    )
    return tuple(found)[:MOST_NOTICES]


def _event(job: JobView, notice: Notice) -> TellUser:
    database = notice.database or job.database
    digest = hashlib.sha256(notice.message.encode()).hexdigest()[:16]
    text = ": ".join(filter(None, (database, notice.message)))
    key = f"{job.run}/{database}/notice/{digest}"
    return TellUser("Notice", shorten(text, NOTE_CHARACTERS), notice.warning, key)
