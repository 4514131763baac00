"""Who may take the Lease."""

import pytest

from headway_operator.planner.election import (
    Lease,
    Seen,
    Terms,
    may_take,
    released,
    seconds_until_next_turn,
    seen,
    taken,
)

TERMS = Terms()
THEIRS = Lease("other", renewed="1", seconds=15, transitions=3, version="7")


def test_a_lease_that_nobody_holds_or_that_is_ours_may_be_taken_at_once() -> None:
    assert may_take(None, "me", 0.0, TERMS)
    assert may_take(Seen(released(THEIRS), 100.0), "me", 100.0, TERMS)
    assert may_take(Seen(Lease("me", version="1"), 100.0), "me", 100.0, TERMS)


@pytest.mark.parametrize(("seconds", "waits"), [(12, 12.0), (60, 60.0), (0, 12.0)])
def test_another_holder_is_given_a_whole_lease_from_when_we_saw_it_last_renewed(
    seconds: int, waits: float
) -> None:
    sight = Seen(Lease("other", renewed="1", seconds=seconds, version="7"), 100.0)
    assert not may_take(sight, "me", 100.0 + waits - 0.01, TERMS)
    assert may_take(sight, "me", 100.0 + waits, TERMS)


def test_who_waits_looks_again_when_the_lease_runs_out_and_not_later() -> None:
    sight = Seen(THEIRS, 100.0)
    assert seconds_until_next_turn(sight, "me", 100.0, TERMS) == TERMS.retry_seconds
    assert seconds_until_next_turn(sight, "me", 114.5, TERMS) == 0.5
    assert seconds_until_next_turn(sight, "me", 115.0, TERMS) == TERMS.retry_seconds
    assert seconds_until_next_turn(Seen(released(THEIRS), 100.0), "me", 100.0, TERMS) == TERMS.retry_seconds


@pytest.mark.parametrize("seconds", [1, 3, 4, 5, 6, 15, 60, 299])
def test_a_lease_is_shorter_than_what_is_promised_and_whole_as_it_is_written(seconds: int) -> None:
    terms = Terms.within(seconds)
    assert terms.retry_seconds < terms.step_down_seconds < terms.lease_seconds
    assert taken(None, "me", terms).seconds == terms.lease_seconds <= max(seconds * 0.8, 1)


def test_the_usual_terms_are_those_of_fifteen_seconds() -> None:
    assert Terms.within(15) == Terms()


def test_a_renewal_is_seen_as_a_change_whatever_its_time_says() -> None:
    first = seen(None, THEIRS, 100.0)
    assert seen(first, THEIRS, 110.0).since == 100.0
    earlier = Lease("other", renewed="0", seconds=15, transitions=3, version="8")
    assert seen(first, earlier, 110.0).since == 110.0


def test_taking_over_is_counted_and_renewing_is_not() -> None:
    mine = taken(THEIRS, "me", TERMS)
    assert (mine.holder, mine.transitions, mine.version, mine.acquired) == ("me", 4, "7", "")
    renewed = taken(mine, "me", TERMS)
    assert renewed.transitions == 4
    assert taken(None, "me", TERMS).transitions == 0
