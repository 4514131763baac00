"""Hooks of a run over the model cluster: whom it asks and tells, when, in which order, and what an answer does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from headway_operator.api.hooks import FailurePolicy, Point, Result
from headway_operator.api.migration import ABORT_ANNOTATION, RETRY_ANNOTATION
from headway_operator.api.status import DatabasePhase
from headway_operator.planner.deliveries import Answer, Answered
from headway_operator.planner.plan import plan
from headway_operator.planner.snapshot import BackfillProgress, JobProgress
from support.hooked import BEFORE, BROKEN, GONE, NO, NOT_YET, YES, HookedCluster, a_hook
from support.judges import objections, verdicts

WHOLE_WAY = [
    "BeforeMigration",
    "BeforeDatabase main",
    "BeforeRevision main 1-1", "AfterRevision main 1-1",
    "BeforeRevision main 1-2", "AfterRevision main 1-2",
    "AfterDatabase main",
    "BeforeDatabase audit",
    "BeforeRevision audit 1-1", "AfterRevision audit 1-1",
    "BeforeRevision audit 1-2", "AfterRevision audit 1-2",
    "AfterDatabase audit",
    "OnReady",
    "AfterMigration",
]  # fmt: skip


def entry(cluster, name, point, database="", revision=""):
    (found,) = [
        one
        for one in cluster.status.hooks
        if (one.name, one.point, one.database, one.revision) == (name, point, database, revision)
    ]
    return found


def until(cluster, condition, rounds=200):
    """Go on until this holds."""
    for _ in range(rounds):
        if condition():
            return
        decision = cluster.reconcile()
        for job in list(cluster.active):
            cluster.step(job.name)
        cluster.now += decision.wake_after or timedelta(seconds=1)
    raise AssertionError(f"it never came about: {cluster.status}")


def reason(cluster, kind="Reconciling"):
    condition = cluster.status.condition(kind)
    return condition.reason if condition else ""


@pytest.mark.parametrize("loses", [False, True])
def test_a_listener_hears_of_everything_once_and_in_order(loses):
    cluster = HookedCluster("main", "audit", hooks=[a_hook()], revisions=2)
    cluster.loses_events = loses
    cluster.settle()
    assert cluster.receiver.told("chat") == WHOLE_WAY
    assert len(cluster.receiver.got) == len(WHOLE_WAY), "nothing is sent twice when nothing goes wrong"
    assert all(not one.result.is_open for one in cluster.status.hooks)


def test_who_is_asked_before_each_step_hears_of_it_before_it_happens():
    cluster = HookedCluster("main", "audit", hooks=[a_hook("board", "Check", BEFORE), a_hook()], revisions=2)
    seen = []

    def answer(delivery):
        seen.append((delivery.hook, delivery.point, sum(map(len, cluster.applied.values()))))
        return YES

    cluster.receiver.answer = answer
    cluster.settle()
    asked = [(point, applied) for hook, point, applied in seen if hook == "board"]
    assert asked == [
        (Point.BEFORE_MIGRATION, 0), (Point.BEFORE_DATABASE, 0), (Point.BEFORE_REVISION, 0),
        (Point.BEFORE_REVISION, 1), (Point.BEFORE_DATABASE, 2), (Point.BEFORE_REVISION, 2),
        (Point.BEFORE_REVISION, 3),
    ]  # fmt: skip
    assert cluster.receiver.told("chat") == WHOLE_WAY


def test_the_intent_is_written_before_the_call_and_the_result_after_it():
    cluster = HookedCluster(hooks=[a_hook(points=[Point.BEFORE_MIGRATION])])
    until(cluster, lambda: cluster.status.hooks)
    assert entry(cluster, "chat", Point.BEFORE_MIGRATION).result is Result.PENDING
    assert cluster.receiver.got == []
    assert plan(cluster.snapshot()).messages
    assert not [job for job in cluster.jobs.values() if job.database]
    cluster.reconcile()
    assert len(cluster.receiver.got) == 1
    cluster.reconcile()
    written = entry(cluster, "chat", Point.BEFORE_MIGRATION)
    assert (written.result, written.attempts, written.payload) == (Result.DELIVERED, 1, "")


def test_a_message_that_was_written_wakes_whoever_is_to_send_it():
    cluster = HookedCluster(hooks=[a_hook(points=[Point.BEFORE_MIGRATION])])
    decision = cluster.reconcile()
    while not decision.status.hooks:
        for job in list(cluster.active):
            cluster.step(job.name)
        decision = cluster.reconcile()
    assert not decision.messages
    assert decision.wake_after <= timedelta(seconds=1)


def test_an_operator_killed_between_intent_and_result_sends_again_under_the_same_id():
    cluster = HookedCluster(hooks=[a_hook(points=[Point.BEFORE_MIGRATION])])
    until(cluster, lambda: cluster.status.hooks)
    cluster.reconcile(crash_after=0)
    cluster.settle()
    first, second = cluster.receiver.got
    assert first == second


@pytest.mark.parametrize("point", [Point.BEFORE_MIGRATION, Point.BEFORE_DATABASE])
def test_a_check_that_says_no_ends_the_run_before_anything_is_touched(point):
    cluster = HookedCluster("main", hooks=[a_hook("board", "Check", [point]), a_hook()])
    cluster.receiver.answer = lambda delivery: NO if delivery.hook == "board" else YES
    cluster.settle()
    ready = cluster.status.condition("Ready")
    assert (ready.status, ready.reason) == ("False", "HookRefused")
    assert f"Hook board at {point}" in ready.message
    assert "409" in ready.message
    assert "headway.dev/retry" in ready.message
    assert cluster.applied == {}
    assert cluster.receiver.told("chat")[-1] == "OnFailure"
    failed = cluster.receiver.got[-1].data["failure"]
    assert failed["reason"] == "HookRefused"


def test_a_check_that_refuses_a_revision_stops_the_run_before_it():
    cluster = HookedCluster("main", "audit", hooks=[a_hook("board", "Check", [Point.BEFORE_REVISION])])
    cluster.receiver.answer = lambda delivery: NO if delivery.data["revision"] == "1-2" else YES
    cluster.settle()
    assert cluster.applied == {"main": ["1-1"]}
    ready = cluster.status.condition("Ready")
    assert (ready.status, ready.reason) == ("False", "HookRefused")
    assert "of revision 1-2" in ready.message
    assert cluster.status.database("audit").phase is DatabasePhase.SKIPPED


def test_a_check_that_cannot_be_reached_is_tried_again_and_then_ends_the_run():
    cluster = HookedCluster(hooks=[a_hook("board", "Check", [Point.BEFORE_MIGRATION], retries=2)])
    tried = []
    cluster.receiver.answer = lambda delivery: tried.append(delivery.id) or BROKEN
    cluster.settle()
    assert len(tried) == 3
    assert len(set(tried)) == 1
    assert reason(cluster, "Ready") == "HookUnavailable"
    assert "after 3 attempts" in cluster.status.condition("Ready").message


def test_a_check_that_may_be_ignored_holds_nothing():
    hook = a_hook("board", "Check", BEFORE, failure_policy=FailurePolicy.IGNORE, retries=0)
    cluster = HookedCluster(hooks=[hook])
    cluster.receiver.answer = lambda delivery: NO
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert entry(cluster, "board", Point.BEFORE_MIGRATION).result is Result.REFUSED


def test_a_gate_is_asked_until_it_says_yes_and_the_run_is_in_progress_meanwhile():
    cluster = HookedCluster(hooks=[a_hook("window", "Gate", [Point.BEFORE_MIGRATION])])
    cluster.receiver.answer = lambda delivery: NOT_YET
    until(cluster, lambda: len(cluster.receiver.got) > 5)
    assert len({one.id for one in cluster.receiver.got}) == 1, "it is one message, asked again"
    assert reason(cluster) == "WaitingForHook"
    assert (
        "waits for hook window (BeforeMigration): the receiver answered 403"
        in cluster.status.condition("Ready").message
    )
    assert list(objections(cluster.status, 1)) == []
    assert verdicts(cluster.status, 1) == ("InProgress", "Progressing", False)
    cluster.receiver.answer = lambda delivery: YES
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_a_gate_that_never_answers_ends_the_run_when_its_budget_is_used_up():
    cluster = HookedCluster(hooks=[a_hook("window", "Gate", [Point.BEFORE_DATABASE], retries=3)])
    answers = iter([BROKEN, BROKEN, NOT_YET, BROKEN, BROKEN, BROKEN, BROKEN])
    cluster.receiver.answer = lambda delivery: next(answers)
    cluster.settle()
    assert next(answers, None) is None, "only failures in a row count"
    assert reason(cluster, "Ready") == "HookUnavailable"
    assert verdicts(cluster.status, 1)[:2] == ("Failed", "Degraded")


def test_a_receiver_may_say_how_long_to_wait_up_to_an_hour():
    later = Answered(Answer.TRY_LATER, 429, retry_after_seconds=86400, sentence="429")
    cluster = HookedCluster(hooks=[a_hook("board", "Check", [Point.BEFORE_MIGRATION])])
    cluster.receiver.answer = lambda delivery: later if not cluster.receiver.got else YES
    until(cluster, lambda: cluster.receiver.got)
    decision = cluster.reconcile()
    assert timedelta(minutes=59) < decision.wake_after <= timedelta(hours=1)
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def test_a_time_written_by_another_clock_is_not_waited_for():
    cluster = HookedCluster(hooks=[a_hook("window", "Gate", [Point.BEFORE_MIGRATION])])
    cluster.receiver.answer = lambda delivery: NOT_YET
    until(cluster, lambda: any(one.retry_time for one in cluster.status.hooks))
    cluster.now -= timedelta(days=1)
    seen = len(cluster.receiver.got)
    cluster.reconcile()
    assert len(cluster.receiver.got) == seen + 1


def test_a_receiver_that_is_gone_gets_no_more_in_this_run_and_is_called_in_the_next():
    cluster = HookedCluster(hooks=[a_hook(), a_hook("log")])
    cluster.receiver.answer = lambda delivery: GONE if delivery.hook == "chat" else YES
    cluster.settle()
    assert cluster.receiver.told("chat") == ["BeforeMigration"]
    assert len(cluster.receiver.told("log")) > 5
    cluster.edit(image="shop:2")
    cluster.settle()
    assert len(cluster.receiver.told("chat")) == 2


def test_a_check_that_is_gone_ends_the_run_unless_it_may_be_ignored():
    cluster = HookedCluster(hooks=[a_hook("board", "Check", [Point.BEFORE_MIGRATION])])
    cluster.receiver.answer = lambda delivery: GONE
    cluster.settle()
    assert reason(cluster, "Ready") == "HookUnavailable"


def test_a_listener_that_is_down_holds_nothing_and_later_messages_keep_their_order():
    cluster = HookedCluster(hooks=[a_hook()])
    cluster.receiver.answer = lambda delivery: BROKEN
    until(cluster, lambda: reason(cluster, "Ready") == "Succeeded")
    assert cluster.receiver.got == []
    cluster.receiver.answer = lambda delivery: YES
    cluster.settle()
    told = cluster.receiver.told("chat")
    assert told == [one for one in _whole_way("main", 3) if one in told]
    assert told[-1] == "AfterMigration"


def _whole_way(database, count):
    revisions = [
        f"{point} {database} 1-{n}"
        for n in range(1, count + 1)
        for point in ("BeforeRevision", "AfterRevision")
    ]
    return [
        "BeforeMigration",
        f"BeforeDatabase {database}",
        *revisions,
        f"AfterDatabase {database}",
        "OnReady",
        "AfterMigration",
    ]


def test_a_hundred_revisions_are_all_told_of_through_a_status_of_bounded_size():
    cluster = HookedCluster(hooks=[a_hook()], revisions=100)
    cluster.loses_events = True
    longest = 0

    def answer(delivery):
        nonlocal longest
        longest = max(longest, len(cluster.status.hooks))
        return YES

    cluster.receiver.answer = answer
    cluster.settle(2000)
    assert cluster.receiver.told("chat") == _whole_way("main", 100)
    assert longest <= 128
    assert cluster.status.database("main").untold == ()


def test_messages_of_a_run_that_is_superseded_are_still_sent():
    cluster = HookedCluster(hooks=[a_hook()])
    until(cluster, lambda: cluster.applied.get("main"))
    cluster.edit(image="shop:2")
    first = cluster.status.run.id
    cluster.settle()
    of_first = [one for one in cluster.receiver.got if one.id.startswith(first)]
    told = [one.data["revision"] for one in of_first if one.point is Point.AFTER_REVISION]
    assert told == [one for one in cluster.applied["main"] if one.startswith("1-")]
    assert of_first[-1].point is Point.AFTER_MIGRATION
    assert of_first[-1].data["result"] == "Superseded"


def after_revisions(cluster, hook="chat"):
    return [one for one in cluster.receiver.told(hook) if one.startswith("AfterRevision")]


@pytest.mark.parametrize("count", [2, 3], ids=["some are pending", "nothing is pending"])
def test_what_a_job_committed_unheard_before_it_was_removed_is_told_by_the_run_after_it(count):
    cluster = HookedCluster(hooks=[a_hook()], revisions=3)
    cluster.loses_events = True
    until(cluster, lambda: len(cluster.applied.get("main", [])) == count)
    assert after_revisions(cluster) == []
    (job,) = cluster.active
    cluster.remove(job.name)
    cluster.loses_events = False
    cluster.annotate(RETRY_ANNOTATION, "1")
    cluster.settle()
    assert after_revisions(cluster) == [f"AfterRevision main 1-{number}" for number in (1, 2, 3)]
    assert len(cluster.receiver.ids("chat")) == len(cluster.receiver.told("chat"))


def test_it_is_told_also_when_several_runs_come_to_no_plan_before_one_does():
    cluster = HookedCluster(hooks=[a_hook()], revisions=3)
    cluster.loses_events = True
    until(cluster, lambda: len(cluster.applied.get("main", [])) == 2)
    cluster.remove(cluster.active[0].name)
    for token in ("1", "2", "3"):
        cluster.annotate(RETRY_ANNOTATION, token)
        cluster.reconcile()
        (plan_job,) = cluster.active
        cluster.remove(plan_job.name)
    cluster.annotate(RETRY_ANNOTATION, "4")
    cluster.settle()
    assert after_revisions(cluster) == [f"AfterRevision main 1-{number}" for number in (1, 2, 3)]


def test_what_a_removed_job_did_not_come_to_is_told_once_and_only_when_it_is_applied():
    cluster = HookedCluster(hooks=[a_hook()], revisions=3)
    until(cluster, lambda: len(cluster.applied.get("main", [])) == 1)
    cluster.remove(cluster.active[0].name)
    cluster.annotate(RETRY_ANNOTATION, "1")
    cluster.broken.add(("main", "registry.example.com/shop:1"))
    until(cluster, lambda: any(job.database and job.is_active for job in cluster.jobs.values()))
    told = after_revisions(cluster)
    assert told == ["AfterRevision main 1-1"]
    cluster.settle()
    assert after_revisions(cluster) == [f"AfterRevision main {one}" for one in cluster.applied["main"]]


def test_what_somebody_applied_by_hand_after_a_run_had_told_its_end_is_nothing_that_a_run_did():
    cluster = HookedCluster(hooks=[a_hook()], revisions=3, retries=0)
    until(cluster, lambda: len(cluster.applied.get("main", [])) == 1)
    cluster.broken.add(("main", "registry.example.com/shop:1"))
    cluster.finish(cluster.active[0].name)
    cluster.settle()
    cluster.broken.clear()
    cluster.applied["main"].append("1-2")
    cluster.annotate(RETRY_ANNOTATION, "1")
    cluster.settle()
    assert after_revisions(cluster) == ["AfterRevision main 1-1", "AfterRevision main 1-3"]


def test_the_end_of_a_run_is_told_though_the_operator_died_when_its_first_job_was_created():
    cluster = HookedCluster(hooks=[a_hook()])
    until(cluster, lambda: any(one.database for one in plan(cluster.snapshot()).starts))
    cluster.reconcile(crash_after=2)
    (job,) = cluster.active
    first = cluster.status.run.id
    cluster.step(job.name)
    cluster.edit(image="shop:2")
    cluster.settle()
    of_first = [one for one in cluster.receiver.got if one.id.startswith(first)]
    assert of_first[-1].point is Point.AFTER_MIGRATION
    assert of_first[-1].data["result"] == "Superseded"


def test_a_question_of_a_run_that_is_over_is_dropped():
    cluster = HookedCluster(hooks=[a_hook("window", "Gate", [Point.BEFORE_MIGRATION])])
    cluster.receiver.answer = lambda delivery: NOT_YET
    until(cluster, lambda: cluster.receiver.got)
    old = cluster.status.run.id
    cluster.edit(image="shop:2", hooks=())
    cluster.settle()
    assert [one.result for one in cluster.status.hooks if one.run == old] == [Result.DROPPED]


def test_a_hook_that_is_removed_holds_nothing_any_more_and_nothing_runs_again():
    cluster = HookedCluster(hooks=[a_hook("board", "Gate", [Point.BEFORE_REVISION])])
    cluster.receiver.answer = lambda delivery: NOT_YET
    until(cluster, lambda: cluster.receiver.got)
    run = cluster.status.run.id
    cluster.edit(hooks=())
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"
    assert cluster.status.run.id == run


def test_a_hook_that_is_added_to_a_finished_run_hears_nothing_of_it():
    cluster = HookedCluster()
    cluster.settle()
    cluster.edit(hooks=(a_hook(),))
    cluster.settle()
    assert cluster.receiver.got == []


def test_nothing_is_asked_while_the_resource_is_paused_and_a_pause_ends_no_question():
    cluster = HookedCluster(hooks=[a_hook("board", "Check", [Point.BEFORE_MIGRATION])])
    cluster.annotate("headway.dev/paused", "1")
    for _ in range(5):
        cluster.reconcile()
    assert cluster.receiver.got == []
    cluster.annotate("headway.dev/paused", "")
    cluster.settle()
    assert cluster.status.condition("Ready").status == "True"


def filling(cluster):
    """The first Job is in a backfill."""
    until(cluster, lambda: any(job.database and job.is_active for job in cluster.jobs.values()))
    (job,) = cluster.active
    backfill = BackfillProgress("fill", "users", rows_done=10, rows_total=100)
    cluster.start_pod(job.name)
    cluster.progress[job.name] = JobProgress(job.name, 5, revision="1-1", backfill=backfill)
    return job.name


def test_a_throttle_holds_the_backfill_while_it_says_no_or_cannot_be_asked():
    cluster = HookedCluster(hooks=[a_hook("load", "Throttle", [Point.DURING_BACKFILL])])
    job = filling(cluster)
    said = YES
    cluster.receiver.answer = lambda delivery: said
    for said, held in (  # noqa: B007
        (YES, ""),
        (NOT_YET, "hook load says no: the receiver answered 403"),
        (BROKEN, "hook load says no: no connection"),
        (YES, ""),
    ):
        for _ in range(3):
            cluster.reconcile()
        assert cluster.jobs[job].pod.control.throttle == held
    question = cluster.receiver.got[-1]
    assert question.data["backfill"]["rowsDone"] == 10
    (state,) = cluster.status.hooks
    assert (state.result, state.database) == (Result.DELIVERED, "main")


def test_an_operator_that_was_restarted_lets_nothing_go_that_a_throttle_holds_before_it_has_asked():
    hooks = [a_hook(name, "Throttle", [Point.DURING_BACKFILL]) for name in ("load", "lag")]
    cluster = HookedCluster(hooks=hooks)
    job = filling(cluster)
    no = "hook lag says no: the receiver answered 403"
    cluster.receiver.answer = lambda delivery: NOT_YET if delivery.hook == "lag" else YES
    for _ in range(3):
        cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == no
    cluster.lose_memory()
    cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == no
    assert cluster.status.database("main").phase is DatabasePhase.BACKFILLING
    assert (Result.WAITING, "lag") in {(one.result, one.name) for one in cluster.status.hooks}
    cluster.polled = {which: told for which, told in cluster.polled.items() if which[0] == "load"}
    cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == no, "only one of the two has answered"
    cluster.receiver.answer = lambda delivery: YES
    for _ in range(3):
        cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == ""


def test_a_throttle_that_is_removed_holds_nothing_any_more():
    cluster = HookedCluster(hooks=[a_hook("load", "Throttle", [Point.DURING_BACKFILL])])
    job = filling(cluster)
    cluster.receiver.answer = lambda delivery: NOT_YET
    for _ in range(3):
        cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle
    cluster.edit(hooks=())
    cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == ""


def test_a_backfill_that_is_over_leaves_no_word_of_a_throttle_behind():
    cluster = HookedCluster(hooks=[a_hook("load", "Throttle", [Point.DURING_BACKFILL])])
    job = filling(cluster)
    cluster.receiver.answer = lambda delivery: NOT_YET
    for _ in range(3):
        cluster.reconcile()
    cluster.progress[job] = JobProgress(job, 6, revision="1-2")
    cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == ""


def test_a_throttle_that_may_be_ignored_holds_only_when_it_says_so():
    hook = a_hook("load", "Throttle", [Point.DURING_BACKFILL], failure_policy=FailurePolicy.IGNORE)
    cluster = HookedCluster(hooks=[hook])
    job = filling(cluster)
    cluster.receiver.answer = lambda delivery: BROKEN
    for _ in range(3):
        cluster.reconcile()
    assert cluster.jobs[job].pod.control.throttle == ""
    cluster.receiver.answer = lambda delivery: NOT_YET
    for _ in range(3):
        cluster.reconcile()
    assert "says no" in cluster.jobs[job].pod.control.throttle


def test_a_throttle_that_is_gone_is_asked_no_more():
    cluster = HookedCluster(hooks=[a_hook("load", "Throttle", [Point.DURING_BACKFILL])])
    job = filling(cluster)
    cluster.receiver.answer = lambda delivery: GONE
    for _ in range(6):
        cluster.reconcile()
    assert len(cluster.receiver.got) <= 2
    assert cluster.jobs[job].pod.control.throttle == ""


def test_an_approval_that_is_missing_is_told_of_once_for_each_plan_and_comes_before_every_question():
    hooks = [a_hook(), a_hook("board", "Check", [Point.BEFORE_MIGRATION])]
    cluster = HookedCluster(hooks=hooks, approval="Required")
    until(cluster, lambda: reason(cluster) == "WaitingForApproval")
    for _ in range(4):
        cluster.reconcile()
    assert cluster.receiver.told("chat") == ["OnApprovalRequired"]
    message = cluster.receiver.got[0].data
    assert message["plan"]["digest"] in message["message"]
    assert cluster.receiver.told("board") == []
    cluster.annotate("headway.dev/approve", cluster.status.plan.digest)
    cluster.settle()
    assert cluster.receiver.told("board") == ["BeforeMigration"]
    assert cluster.receiver.told("chat")[:2] == ["OnApprovalRequired", "BeforeMigration"]


@pytest.mark.parametrize("point", BEFORE)
def test_an_abort_while_a_hook_is_waited_for_ends_the_run_and_the_question(point):
    cluster = HookedCluster(hooks=[a_hook("window", "Gate", [point]), a_hook()])
    cluster.receiver.answer = lambda delivery: NOT_YET if delivery.hook == "window" else YES
    until(cluster, lambda: cluster.receiver.told("window") and reason(cluster) == "WaitingForHook")
    cluster.annotate("headway.dev/abort", f"{cluster.status.run.id}/now")
    cluster.settle()
    assert reason(cluster, "Ready") == "Aborted"
    assert cluster.applied == {}
    assert [one.result for one in cluster.status.hooks if one.name == "window"] == [Result.DROPPED]
    assert cluster.receiver.told("chat")[-1] in ("OnFailure", "AfterMigration")
    assert "OnFailure" in cluster.receiver.told("chat")


def test_a_no_and_an_abort_at_once_leave_one_end():
    cluster = HookedCluster(hooks=[a_hook("board", "Check", [Point.BEFORE_REVISION])])
    cluster.receiver.answer = lambda delivery: NO
    until(cluster, lambda: cluster.receiver.told("board"))
    cluster.annotate("headway.dev/abort", f"{cluster.status.run.id}/now")
    cluster.settle()
    assert reason(cluster, "Ready") in ("Aborted", "HookRefused")
    assert cluster.applied == {}


def test_messages_are_small_and_hold_what_a_receiver_needs():
    cluster = HookedCluster(hooks=[a_hook()])
    cluster.broken.add(("main", "registry.example.com/shop:1"))
    cluster.settle()
    failed = next(one for one in cluster.receiver.got if one.point is Point.ON_FAILURE)
    assert failed.event == "dev.headway.migration.failed"
    assert failed.source.endswith("/namespaces/shops/databasemigrations/shop")
    assert set(failed.data) == {"point", "resource", "run", "plan", "failure"}
    assert failed.data["failure"]["reason"] == "RevisionFailed"
    after = next(one for one in cluster.receiver.got if one.point is Point.AFTER_MIGRATION)
    assert after.data["result"] == "Failed"
    before = next(one for one in cluster.receiver.got if one.point is Point.BEFORE_DATABASE)
    assert before.data["database"]["currentRevision"] == "base0"
    assert before.data["database"]["targetRevision"] == "1-3"
    assert all(len(json.dumps(one.data)) < 2000 for one in cluster.receiver.got)


def test_what_a_failed_run_has_applied_is_told_although_it_ends():
    cluster = HookedCluster(hooks=[a_hook()], retries=0)
    cluster.loses_events = True
    until(cluster, lambda: len(cluster.applied.get("main", [])) == 2)
    cluster.broken.add(("main", "registry.example.com/shop:1"))
    (job,) = cluster.active
    cluster.finish(job.name)
    cluster.settle()
    told = cluster.receiver.told("chat")
    assert [one for one in told if one.startswith("AfterRevision")] == [
        "AfterRevision main 1-1",
        "AfterRevision main 1-2",
    ]
    assert told[-2:] == ["OnFailure", "AfterMigration"]


def test_a_failure_is_told_of_also_after_a_job_was_refused_for_a_while():
    cluster = HookedCluster(hooks=[a_hook()])
    cluster.broken.add(("main", "registry.example.com/shop:1"))
    cluster.refuses = {"main"}
    until(cluster, lambda: "OnFailure" in cluster.receiver.told("chat"))
    cluster.refuses = set()
    cluster.settle()
    told = [one.data["failure"]["reason"] for one in cluster.receiver.got if one.point is Point.ON_FAILURE]
    assert told == ["JobRefused", "RevisionFailed"]


def failures_told(cluster):
    """The run and the reason of each failure that was told."""
    told = [one.data for one in cluster.receiver.got if one.point is Point.ON_FAILURE]
    return [(one["run"]["id"], one["failure"]["reason"]) for one in told]


def test_a_run_that_is_held_up_and_then_aborted_tells_of_both():
    cluster = HookedCluster(hooks=[a_hook()])
    cluster.refuses = {"main"}
    until(cluster, lambda: "OnFailure" in cluster.receiver.told("chat"))
    run = cluster.status.run.id
    cluster.annotate(ABORT_ANNOTATION, "1")
    cluster.refuses = set()
    cluster.settle()
    assert failures_told(cluster) == [(run, "JobRefused"), (run, "Aborted")]


def test_a_run_whose_plan_cannot_start_is_no_failure_of_the_run_before_it():
    cluster = HookedCluster(hooks=[a_hook()])
    cluster.settle()
    first = cluster.status.run.id
    cluster.refuses = {""}
    cluster.edit(image="shop:2")
    for _ in range(3):
        cluster.reconcile()
        cluster.now += timedelta(minutes=1)
    assert (reason(cluster, "Stalled"), cluster.status.run.id) == ("JobRefused", first)
    assert failures_told(cluster) == []
    cluster.refuses = set()
    cluster.broken.add(("main", "shop:2"))
    cluster.settle()
    assert failures_told(cluster) == [(cluster.status.run.id, "RevisionFailed")]


def test_what_is_still_to_be_told_of_a_run_goes_out_while_the_next_one_cannot_begin():
    cluster = HookedCluster()
    cluster.settle()
    run = replace(cluster.status.run, unsent=("OnReady",))
    cluster.migration = replace(cluster.resource, status=replace(cluster.status, run=run))
    cluster.refuses = {""}
    cluster.edit(image="shop:2", hooks=(a_hook(),))
    cluster.reconcile()
    cluster.reconcile()
    assert [(one.point, one.data["run"]["id"]) for one in cluster.receiver.got] == [(Point.ON_READY, run.id)]
    assert cluster.status.run.unsent == ()
