"""The table of phases, walked whole: every pair of phase and fact is either a row or a refusal."""

from __future__ import annotations

import pytest

from headway_operator.api.status import DatabasePhase as Phase
from headway_operator.planner.lifecycle import TRANSITIONS, Fact, IllegalTransition, moved

UNFINISHED = (Phase.PENDING, Phase.MIGRATING, Phase.BACKFILLING, Phase.WAITING)
OF_JOBS = {
    Fact.JOB_ACTIVE: Phase.MIGRATING,
    Fact.BACKFILL_ACTIVE: Phase.BACKFILLING,
    Fact.REST_WAITS: Phase.PENDING,
    Fact.JOB_SUCCEEDED: Phase.SUCCEEDED,
    Fact.ATTEMPT_FAILED: Phase.WAITING,
    Fact.GAVE_UP: Phase.FAILED,
    Fact.JOB_STOPPED: Phase.PENDING,
}
LEGAL = {(phase, fact): after for phase in UNFINISHED for fact, after in OF_JOBS.items()} | {
    (Phase.PENDING, Fact.NOTHING_PENDING): Phase.SUCCEEDED,
    (Phase.PENDING, Fact.EARLIER_FAILED): Phase.SKIPPED,
    (Phase.PENDING, Fact.RUN_ABORTED): Phase.SKIPPED,
    (Phase.WAITING, Fact.RUN_ABORTED): Phase.SKIPPED,
}
ILLEGAL = [(phase, fact) for phase in Phase for fact in Fact if (phase, fact) not in LEGAL]


def test_the_table_has_these_rows_and_no_other():
    assert TRANSITIONS == LEGAL


@pytest.mark.parametrize(("phase", "fact"), LEGAL, ids=lambda part: part.name)
def test_a_legal_move_is_made(phase, fact):
    assert moved(phase, fact) is LEGAL[phase, fact]


@pytest.mark.parametrize(("phase", "fact"), ILLEGAL, ids=lambda part: part.name)
def test_an_illegal_move_is_refused_and_changes_nothing(phase, fact):
    before = dict(TRANSITIONS)
    with pytest.raises(IllegalTransition, match=f"a database that is {phase} cannot take: {fact}"):
        moved(phase, fact)
    assert before == TRANSITIONS


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_nothing_leads_out_of_a_final_phase(phase):
    assert not [row for row in TRANSITIONS if row[0] is phase]
