"""What runners notice becomes events of the resource, each once in a run."""

from __future__ import annotations

from dataclasses import replace

from headway_contract.events import Notice
from headway_contract.result import Plan
from headway_operator.api.reasons import reason_of
from headway_operator.manifests.event import event_for
from headway_operator.planner.notices import MOST_NOTICES, notices
from headway_operator.planner.snapshot import JobProgress
from support.builders import NOW, a_job, a_migration, a_plan, a_result, a_snapshot, ended
from support.model import ModelCluster

INVALID = "The index public.i is INVALID: an interrupted build left it, and no query uses it."


def heard(*told: Notice, database: str = "main", attempt: int = 1, **fields):
    """The events of a Job whose log had these notices."""
    resource = a_migration("main", "audit")
    job = a_job(resource, database, attempt)
    return notices(a_snapshot(resource, job, progress=(JobProgress(job.name, 1, notices=told, **fields),)))


def noticed(*texts: str, warnings: int = 0) -> Plan:
    (one,) = a_plan(main=["a1"]).databases
    return Plan((replace(one, notices=texts, warnings=warnings),))


def test_a_notice_of_the_log_is_an_event_of_the_database_that_it_is_about():
    (event,) = heard(Notice("main", "It is past the target. This is accepted."))
    assert (event.reason, event.message) == ("Notice", "main: It is past the target. This is accepted.")
    assert reason_of("Notice").meaning.startswith("Event: something that a person should know")


def test_what_is_to_be_looked_into_is_a_warning_and_all_else_is_not():
    look, know = heard(Notice("main", INVALID, warning=True), Notice("main", "Good to know."))
    kinds = [event_for(one, a_migration(), NOW)["type"] for one in (look, know)]
    assert kinds == ["Warning", "Normal"]


def test_every_attempt_and_the_plan_of_a_run_tell_the_same_by_the_same_event():
    told = [heard(Notice("main", INVALID), attempt=attempt)[0].key for attempt in (1, 2)]
    of_the_plan = heard(Notice("main", INVALID), database="")[0].key
    assert told == [of_the_plan, of_the_plan]
    of_another = heard(Notice("audit", INVALID), database="audit")[0].key
    assert of_another != of_the_plan
    assert heard(Notice("main", "Something else."))[0].key != of_the_plan


def test_notices_of_a_plan_come_with_its_result_also_when_its_log_was_never_read():
    cluster = ModelCluster()
    (start,) = cluster.reconcile().starts
    cluster.start_pod(start.name)
    cluster.finish(start.name, a_result(plan=noticed(INVALID, "Good to know.", warnings=1)))
    found = notices(cluster.snapshot())
    assert [(one.message, one.warning) for one in found] == [
        (f"main: {INVALID}", True),
        ("main: Good to know.", False),
    ]
    cluster.reconcile()
    assert notices(cluster.snapshot()) == (), "the status knows that plan"


def test_a_plan_whose_log_was_read_too_is_told_once():
    resource = a_migration()
    job = ended(a_job(resource), a_result(plan=noticed(INVALID, warnings=1)))
    progress = JobProgress(job.name, 1, notices=(Notice("main", INVALID, warning=True),))
    (event,) = notices(a_snapshot(resource, job, progress=(progress,)))
    assert event.warning


def test_where_there_were_too_many_it_is_said_where_all_are():
    *_, last = heard(Notice("main", "One."), has_further_notices=True)
    assert last.message == "there are further notices: headway logs shop main"


def test_a_plan_with_many_notices_has_no_more_events_than_others():
    resource = a_migration()
    texts = tuple(f"Notice {number}." for number in range(50))
    job = ended(a_job(resource), a_result(plan=noticed(*texts)))
    assert len(notices(a_snapshot(resource, job))) == MOST_NOTICES


def test_a_very_long_notice_stays_within_the_bounds_of_an_event():
    (event,) = heard(Notice("main", "ä" * 5000))
    assert len(event_for(event, a_migration(), NOW)["note"].encode()) <= 1024
