"""A run that is edited, paused, killed and tampered with ends where the undisturbed one does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headway_operator.api.conditions import State
from headway_operator.api.migration import (
    ABORT_ANNOTATION,
    APPROVE_ANNOTATION,
    PAUSED_ANNOTATION,
    RETRY_ANNOTATION,
    Locks,
    PostDeploy,
    Workload,
)
from headway_operator.api.status import DatabasePhase, Stage
from headway_operator.planner.gates import first_block
from support.builders import a_database, a_migration
from support.fix_depth import THOROUGH, examples
from support.judges import objections, verdicts
from support.model import ModelCluster, Refused

IMAGES = ("shop:1", "shop:2", "shop:3")
NAMES = ("main", "analytics", "audit")

pytestmark = pytest.mark.timeout(1800 if THOROUGH else 100)

image = st.sampled_from(IMAGES)
chance = st.integers(min_value=0, max_value=9)


class DisturbedRun(RuleBasedStateMachine):
    """Rules are what may happen between two looks; after each the invariants hold, at the end all comes to rest."""

    cluster: ModelCluster
    traces_are_lost = False
    tokens = 0
    """How many aborts were asked for; each has a token of its own."""

    @initialize(
        parallel=st.integers(1, 3),
        on_failure=st.sampled_from(["Stop", "Continue"]),
        mode=st.sampled_from(["Always", "Never", "Approved"]),
        depends=st.booleans(),
        broken=st.sets(st.tuples(st.sampled_from(NAMES), image), max_size=2),
        flakes=st.dictionaries(st.sampled_from(("", *NAMES)), st.integers(1, 2), max_size=2),
        later=st.sets(image),
        broken_later=st.sets(st.tuples(st.sampled_from(NAMES), image), max_size=2),
        waits=st.booleans(),
    )
    def begin(self, parallel, on_failure, mode, depends, broken, flakes, later, broken_later, waits):
        last = a_database("audit", after=["main"] if depends else [])
        resource = a_migration(
            *NAMES[:2],
            last,
            image=IMAGES[0],
            parallel=parallel,
            on_failure=on_failure,
            plan="Never" if mode == "Never" else "Always",
            approval="Required" if mode == "Approved" else "Automatic",
            retries=60,
            post_deploy=PostDeploy((Workload(deployment="shop"),)) if waits else PostDeploy(),
        )
        self.resource = resource
        self.cluster = ModelCluster(resource)
        self.ended: dict[str, str] = {}
        self.cluster.broken, self.cluster.flakes = set(broken), dict(flakes)
        self.cluster.later, self.cluster.broken_later = set(later), set(broken_later)

    @precondition(lambda self: self.is_there)
    @rule()
    def look(self):
        before = self.cluster.status
        decision = self.cluster.reconcile()
        if self.cluster.migration is None:
            return
        again = self.cluster.decide()
        generation = self.cluster.resource.generation
        has_opened = self.cluster.status.is_ready(generation) and not before.is_ready(generation)
        if not has_opened:  # else what waited for the status to say so may begin
            assert again.starts == (), "the same facts start a Job once"
            assert again.status == self.cluster.status, "the same facts give the same status"
        self.check_status(before)
        self.check_that_something_wakes_it(decision.wake_after is not None)

    @precondition(lambda self: self.is_there)
    @rule(after=st.integers(0, 6))
    def look_and_crash(self, after):
        self.cluster.reconcile(crash_after=after)

    @precondition(lambda self: self.is_there)
    @rule(new=image)
    def look_while_somebody_edits(self, new):
        read, decision = self.cluster.resource, self.cluster.decide()
        self.cluster.edit(image=new)
        try:
            self.cluster.execute(decision, read)
        except Refused:
            return
        assert decision.status == self.cluster.status, "a stale status is never written"

    @precondition(lambda self: self.is_there)
    @rule(new=image)
    def edit_what_runs(self, new):
        if self.cluster.resource.spec.image != new:
            self.cluster.edit(image=new)

    @precondition(lambda self: self.is_there)
    @rule(seconds=st.integers(1, 9))
    def edit_how_it_runs(self, seconds):
        self.cluster.edit(locks=Locks(timeout_seconds=seconds))

    @precondition(lambda self: self.is_there)
    @rule()
    def the_application_is_rolled_out(self):
        self.cluster.roll_out()

    @precondition(lambda self: self.is_there)
    @rule(databases=st.sets(st.sampled_from(("", *NAMES)), max_size=2))
    def a_quota_is_full_for_some(self, databases):
        self.cluster.refuses = databases

    @precondition(lambda self: self.is_there)
    @rule(value=st.booleans())
    def suspend_or_resume(self, value):
        if self.cluster.resource.spec.suspend != value:
            self.cluster.edit(suspend=value)

    @precondition(lambda self: self.is_there)
    @rule(value=st.sampled_from(["", "now"]))
    def pause_or_resume(self, value):
        self.cluster.annotate(PAUSED_ANNOTATION, value)

    @precondition(lambda self: self.is_there)
    @rule(token=st.sampled_from(["", "1", "2"]))
    def ask_for_a_retry(self, token):
        self.cluster.annotate(RETRY_ANNOTATION, token)

    @precondition(lambda self: self.is_there)
    @rule(pick=chance)
    def approve(self, pick):
        digest = self.cluster.status.plan.digest if self.cluster.status.plan else ""
        self.cluster.annotate(APPROVE_ANNOTATION, digest if pick < 7 else "sha256:of last week")

    @precondition(lambda self: self.is_there)
    @rule(pick=chance)
    def abort(self, pick):
        run = self.cluster.status.run
        self.tokens += 1
        named = f"{run.id}/" if run and pick < 5 else ""
        self.cluster.annotate(ABORT_ANNOTATION, f"{named}{self.tokens}" if pick else "")

    @precondition(lambda self: self.is_there and not self.traces_are_lost)
    @rule()
    def empty_the_status(self):
        self.cluster.empty_status()

    @precondition(lambda self: self.is_there)
    @rule(pick=chance)
    def delete_the_resource(self, pick):
        if pick == 0:
            self.cluster.delete()

    @precondition(lambda self: not self.is_there)
    @rule(uid=st.uuids())
    def create_it_again(self, uid):
        self.cluster.create(replace(self.resource, uid=str(uid)))

    @precondition(lambda self: self.has_active)
    @rule(pick=chance, reason=st.sampled_from(["", "ImagePullBackOff"]))
    def a_pod_waits(self, pick, reason):
        job = self.cluster.active[pick % len(self.cluster.active)]
        if not job.has_started:
            self.cluster.start_pod(job.name, started=False, waiting_reason=reason)

    @precondition(lambda self: self.has_active)
    @rule(pick=chance)
    def a_pod_starts(self, pick):
        job = self.cluster.active[pick % len(self.cluster.active)]
        self.cluster.start_pod(job.name, waiting_reason="")

    @precondition(lambda self: self.has_active)
    @rule(pick=chance)
    def a_job_ends(self, pick):
        job = self.cluster.active[pick % len(self.cluster.active)]
        self.cluster.start_pod(job.name)
        self.cluster.finish(job.name)

    @precondition(lambda self: self.is_there and bool(self.known_jobs))
    @rule(pick=chance)
    def a_job_is_deleted_by_hand(self, pick):
        """Of a run that the status tells of: what neither status nor Jobs tell of, nobody can know."""
        self.cluster.remove(self.known_jobs[pick % len(self.known_jobs)])
        self.traces_are_lost = True

    @precondition(lambda self: self.is_there)
    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds):
        self.cluster.now += timedelta(seconds=seconds)
        for job in self.cluster.active:  # what is in a pod's way goes away before patience is over
            if job.pod and self.cluster.now - job.pod.created > timedelta(minutes=7):
                self.cluster.start_pod(job.name, waiting_reason="")

    @invariant()
    def no_job_outlives_the_resource(self):
        assert self.cluster.migration is not None or not self.cluster.jobs

    def check_status(self, before):
        resource, status = self.cluster.resource, self.cluster.status
        if resource.deleting:
            return
        assert list(objections(status, resource.generation)) == []
        if before.is_ready(resource.generation):
            assert status.is_ready(resource.generation), "a gate never closes within a generation"
        same_run = before.run and status.run and before.run.id == status.run.id
        if same_run and before.progress.percent is not None:
            assert status.progress.percent >= before.progress.percent
        if same_run and before.run.completion_time:
            assert status.run == before.run, "what is over stays as it ended"
            assert [one.phase for one in status.databases] == [one.phase for one in before.databases]
        self.check_the_judges()
        self.check_that_a_token_ends_one_run()

    def check_the_judges(self):
        """Failed and Degraded is a failure, or a person's abort; Current and Healthy is all at the target."""
        resource, status = self.cluster.resource, self.cluster.status
        wanted = resource.spec.image
        kstatus, argo, waits_no_more = verdicts(status, resource.generation)
        is_broken = any(image == wanted for _, image in self.cluster.broken)
        is_there = all(self.cluster.heads.get(name) == wanted for name in NAMES)
        assert (kstatus == "Failed") == (argo == "Degraded")
        assert (kstatus == "Current") == (argo == "Healthy") == waits_no_more
        is_refused = status.condition("Stalled").reason == "JobRefused"
        assert kstatus != "Failed" or is_broken or is_refused or status.run.abort
        assert kstatus != "Current" or is_there
        held = first_block(resource) is not None or status.condition("Approved").status == "False"
        assert argo != "Suspended" or held

    def check_that_a_token_ends_one_run(self):
        token, run = self.cluster.resource.annotations.get(ABORT_ANNOTATION), self.cluster.status.run
        if run is not None and run.abort and run.abort == token:
            assert self.ended.setdefault(token, run.id) == run.id
        elif token:
            self.ended.setdefault(token, "none")

    def check_that_something_wakes_it(self, has_alarm):
        resource, status = self.cluster.resource, self.cluster.status
        is_final = status.condition("Succeeded") and status.condition("Succeeded").status != "Unknown"
        is_asked = "WaitingForApproval" in {condition.reason for condition in status.conditions}
        held = first_block(resource) is not None or resource.deleting or is_asked
        assert is_final or held or self.cluster.active or has_alarm, f"nothing will wake it: {status}"

    def teardown(self):
        if not hasattr(self, "cluster") or self.cluster.migration is None:
            return
        if self.cluster.resource.spec.suspend:
            self.cluster.edit(suspend=False)
        self.cluster.annotate(PAUSED_ANNOTATION, "")
        self.cluster.roll_out()
        self.cluster.refuses = set()
        self.settle()
        if self.cluster.migration is not None and self.cluster.status.run.result == "Aborted":
            self.cluster.annotate(RETRY_ANNOTATION, "after the abort")
            self.settle()
        if self.cluster.migration is not None:
            self.check_the_end()

    def settle(self):
        """To its end, with whatever approval it needs."""
        self.cluster.settle()
        if self.cluster.migration is not None and self.cluster.status.condition("Approved").status == "False":
            self.cluster.annotate(APPROVE_ANNOTATION, self.cluster.status.plan.digest)
            self.cluster.settle()

    def check_the_end(self):
        """Which databases fail is a matter of the specification alone, never of what happened on the way."""
        spec, status = self.cluster.resource.spec, self.cluster.status
        assert not self.cluster.resource.has_finalizer
        phases = {one.name: one.phase for one in status.databases}
        later = {one.name for one in status.databases if one.stage is Stage.POST_DEPLOY}
        failed = {name for name in NAMES if phases[name] is DatabasePhase.FAILED and name not in later}
        broken = {name for name, image in self.cluster.broken if image == spec.image}
        for name in NAMES:
            done = self.cluster.heads.get(name) == spec.image
            assert (phases[name] is DatabasePhase.SUCCEEDED) <= done, f"{name} is not where the status says"
        assert failed <= broken
        assert bool(failed) == bool(broken)
        if spec.strategy.on_failure == "Continue":
            lost = "main" in broken and bool(spec.databases[2].depends_on)
            assert failed == broken - ({"audit"} if lost else set())
        elif spec.strategy.max_parallel == 1:
            assert failed == {next(name for name in NAMES if name in broken)} if broken else not failed
        ready = status.condition("Ready")
        assert ready.status == ("False" if failed else "True")
        if failed:
            assert status.run.result == State.FAILED
            return
        self.check_the_end_behind_the_gate(phases)

    def check_the_end_behind_the_gate(self, phases):
        spec, status = self.cluster.resource.spec, self.cluster.status
        has_rest = spec.image in self.cluster.later
        broken = {name for name, image in self.cluster.broken_later if image == spec.image and has_rest}
        broken -= {name for name in NAMES if self.cluster.rest.get(name) == spec.image}
        failed = {name for name in NAMES if phases[name] is DatabasePhase.FAILED}
        assert failed <= broken
        assert bool(failed) == bool(broken)
        for name in NAMES:
            done = not has_rest or self.cluster.rest.get(name) == spec.image
            assert (phases[name] is DatabasePhase.SUCCEEDED) == done
        succeeded = status.condition("Succeeded")
        assert succeeded.status == ("False" if failed else "True")
        assert status.run.result == (State.FAILED if failed else State.SUCCEEDED)

    @property
    def known_jobs(self):
        run = self.cluster.status.run
        return sorted(job.name for job in self.cluster.jobs.values() if run and job.run == run.id)

    @property
    def is_there(self):
        return self.cluster.migration is not None

    @property
    def has_active(self):
        return self.is_there and bool(self.cluster.active)


DisturbedRun.TestCase.settings = settings(
    max_examples=examples(40, thorough=2000),
    derandomize=not THOROUGH,
    stateful_step_count=60 if THOROUGH else 30,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
test_a_disturbed_run_ends_where_the_undisturbed_one_does = DisturbedRun.TestCase
