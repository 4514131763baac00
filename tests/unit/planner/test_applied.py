"""Which revisions are certainly applied, whatever of the events was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.planned import EnvFacts, Planned
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Stage
from headway_operator.planner.applied import newly_applied
from headway_operator.planner.snapshot import JobProgress, JobState
from support.builders import a_job, a_migration, a_result

ORDER = ("r1", "r2", "r3", "r4", "r5")
MAIN = DatabaseStatus("main", DatabasePhase.MIGRATING, untold=ORDER)
JOB = a_job(a_migration(), "main")


def told(*names, left=None):
    return JobProgress(JOB.name, 1, applied=names, left=left)


def over(**facts):
    return replace(JOB, state=JobState.FAILED, result=a_result(failure="LockTimeout", **facts))


@given(count=st.integers(1, 5), heard=st.sets(st.sampled_from(ORDER)))
def test_the_last_event_alone_tells_of_all_before_it(count, heard):
    names = tuple(one for one in ORDER[:count] if one in heard)
    assert newly_applied(MAIN, [JOB], told(*names, left=5 - count)) == ORDER[:count]


@given(count=st.integers(0, 5), known=st.integers(0, 2))
def test_a_result_tells_how_many_are_left_and_the_latest_by_name(count, known):
    job = over(to_revision=("x",), applied=ORDER[max(count - known, 0) : count], pending_count=5 - count)
    assert newly_applied(MAIN, [job], None) == ORDER[:count]


def test_a_run_that_never_spoke_has_applied_nothing_that_is_certain():
    assert newly_applied(MAIN, [JOB], None) == ()
    assert newly_applied(MAIN, [], None) == ()
    assert newly_applied(MAIN, [over()], None) == ()


def test_what_was_told_before_is_not_told_again():
    rest = replace(MAIN, untold=ORDER[2:])
    assert newly_applied(rest, [JOB], told("r1", "r2", "r3", left=2)) == ("r3",)
    assert newly_applied(rest, [JOB], told(left=3)) == ()


def test_independent_branches_may_come_in_another_order_and_are_known_by_name():
    assert newly_applied(MAIN, [JOB], told("r1", "r4", left=3)) == ("r1", "r4")


def test_what_waits_behind_the_gate_is_not_among_those_before_it():
    waits = replace(MAIN, post_deploy_count=2)
    assert newly_applied(waits, [JOB], told("r3", left=0)) == ORDER[:3]
    behind = replace(JOB, stage=Stage.POST_DEPLOY)
    assert newly_applied(waits, [JOB, behind], told("r4", left=1)) == ORDER[:4]


@pytest.mark.parametrize(
    "planned", [Planned("d", (("a",), ("b",))), Planned("d", (("a",),), env=EnvFacts(contexts=2))]
)
def test_with_several_contexts_only_the_end_of_the_job_counts(planned):
    several = replace(MAIN, planned=planned)
    assert newly_applied(several, [JOB], told("r1", left=4)) == ()
    assert newly_applied(replace(several, phase=DatabasePhase.SUCCEEDED), [JOB], None) == ORDER
