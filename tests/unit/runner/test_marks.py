"""Which revisions may wait until the application is rolled out: over histories of any shape."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway_runner.project.marks import Marked, may_wait


@st.composite
def histories(draw: st.DrawFn) -> tuple[Marked, ...]:
    """Revisions in an order in which they can be applied, with branches, merges and dependencies."""
    revisions: list[Marked] = []
    for number in range(draw(st.integers(0, 12))):
        earlier = [one.revision for one in revisions]
        parents = draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
        revisions.append(Marked(f"r{number}", tuple(parents), draw(st.booleans())))
    return tuple(revisions)


def after(history: tuple[Marked, ...], revision: str) -> set[str]:
    """Whatever comes after it."""
    found = {revision}
    for one in history:
        if found.intersection(one.parents):
            found.add(one.revision)
    return found - {revision}


@given(histories())
def test_what_comes_after_a_revision_that_waits_waits_too(history):
    waits = may_wait(history)
    assert all(after(history, revision) <= waits for revision in waits)


@given(histories())
def test_only_marked_revisions_wait(history):
    assert may_wait(history) <= {one.revision for one in history if one.is_marked}


@given(histories())
def test_a_marked_revision_runs_in_its_place_only_when_something_after_it_has_no_mark(history):
    waits = may_wait(history)
    unmarked = {one.revision for one in history if not one.is_marked}
    for one in history:
        assert not one.is_marked or one.revision in waits or after(history, one.revision) & unmarked


@given(histories(), st.data())
def test_what_waits_is_the_same_when_a_part_of_what_precedes_it_is_done(history, data):
    """A second attempt must leave the same revisions as the first one did."""
    waits = may_wait(history)
    first = [one for one in history if one.revision not in waits]
    done = {one.revision for one in first[: data.draw(st.integers(0, len(first)))]}
    assert may_wait(tuple(one for one in history if one.revision not in done)) == waits


def test_one_branch_may_end_in_revisions_that_wait_while_another_goes_on():
    history = (
        Marked("a1", (), False),
        Marked("a2", ("a1",), True),
        Marked("b1", (), True),
        Marked("b2", ("b1",), False),
        Marked("b3", ("b2", "a1"), True),
    )
    assert may_wait(history) == {"a2", "b3"}
