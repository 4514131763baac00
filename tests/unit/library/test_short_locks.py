"""The waits of short locks, and whom a mode of locks conflicts with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.blockers import CONFLICTS, MODES, Blocker, told
from headway.short_locks import LONG, SHORT, Means, Patience, rest
from headway.statements import first_words
from support.revisions import StoppedByTest, Told


def test_the_first_try_waits_100_ms_and_each_further_one_half_as_long_again_up_to_2_s():
    assert [SHORT.timeout_ms(attempt) for attempt in range(9)] == [
        100, 150, 225, 337, 506, 759, 1139, 1708, 2000,
    ]  # fmt: skip
    assert SHORT.timeout_ms(10**9) == 2000


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_a_pause_is_anything_up_to_a_bound_that_doubles_until_60_s(attempt, chance):
    bound = min(60.0, 0.05 * 2.0 ** min(attempt, 64))
    assert SHORT.pause_seconds(attempt, chance) == chance * bound
    assert 0 <= SHORT.pause_seconds(attempt, chance) <= 60.0


def test_what_nobody_queues_up_behind_is_waited_for_longer():
    assert LONG.timeout_ms(0) == LONG.timeout_ms(99) == 10_000


def test_a_time_out_of_nothing_would_mean_for_ever_to_the_server():
    assert Patience(first_ms=0.1).timeout_ms(0) == 1


def test_conflicts_are_those_of_the_manual():
    """A mode conflicts with itself from SHARE UPDATE EXCLUSIVE on, but for SHARE."""
    assert [mode for mode, others in CONFLICTS.items() if mode in others] == [
        "SHARE UPDATE EXCLUSIVE",
        "SHARE ROW EXCLUSIVE",
        "ACCESS EXCLUSIVE",
    ]
    assert set(CONFLICTS["ACCESS EXCLUSIVE"]) == set(MODES)
    assert "ROW EXCLUSIVE" not in CONFLICTS["SHARE UPDATE EXCLUSIVE"]
    assert "ROW EXCLUSIVE" in CONFLICTS["SHARE"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE users SET name = 'eve'", "UPDATE users"),
        ("INSERT INTO cards VALUES (4111)", "INSERT INTO cards"),
        ("DELETE FROM t WHERE id = 7", "DELETE FROM t"),
        ("SELECT $1, 7", "SELECT"),
        ("/* a secret */ SELECT a1 FROM t2 -- another\n LIMIT 5", "SELECT a1 FROM t2"),
        ("SELECT pg_sleep(3)", "SELECT pg_sleep"),
        ("'", "?"),
    ],
)
def test_of_a_statement_only_words_before_its_first_value_are_told(statement, words):
    assert first_words(statement) == words


def test_a_blocker_is_told_by_number_application_state_age_and_first_words():
    one = Blocker(7, "shop-web", "", "idle in transaction", "UPDATE users", 90)
    assert told(one) == (
        "session 7 (application shop-web): idle in transaction, its transaction open for 90 s, "
        "last statement UPDATE users"
    )
    assert "prepared transaction" in told(Blocker(None))
    assert told(Blocker(8, kind="autovacuum worker")) == "session 8 (autovacuum worker)"


def test_a_pause_ends_when_a_stop_is_wished():
    link, passed = Told(), [0.0]

    def sleep(seconds):
        passed[0] += seconds
        link.wished = {"stop": True, "stop_reason": "Another run takes over."}

    with pytest.raises(StoppedByTest, match="Another run takes over"):
        rest(link, 60.0, Means(clock=lambda: passed[0], sleep=sleep))
    assert passed[0] <= 1.0


def test_a_pause_without_a_wish_lasts_as_long_as_it_should():
    passed = [0.0]

    def sleep(seconds):
        passed[0] += seconds

    rest(Told(), 3.2, Means(clock=lambda: passed[0], sleep=sleep))
    assert passed[0] == pytest.approx(3.2)
