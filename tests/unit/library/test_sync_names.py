"""Names as PostgreSQL keeps them, and comments that are read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headway.sync.names import bounded, dollar_quoted, identifier, literal
from headway.sync.pair import Mark, mark_of

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(NAMES)
def test_a_name_is_never_longer_than_63_bytes_and_short_ones_are_kept(name):
    assert len(bounded(name).encode()) <= 63
    assert bounded(name) == name or len(name.encode()) > 63


@given(NAMES, NAMES)
def test_two_names_stay_two(one, other):
    tail = "x" * 70
    assert (bounded(one + tail) == bounded(other + tail)) == (one == other)


def test_quotes_are_doubled():
    assert identifier('a"b') == '"a""b"'
    assert literal("a'b") == "'a''b'"
    assert literal("a\\'b") == "E'a\\\\''b'"


def test_a_body_that_has_our_dollar_quotes_in_it_gets_others():
    assert dollar_quoted("$headway$").startswith("$headway_$\n")


@given(st.builds(Mark, NAMES, NAMES, NAMES, NAMES, st.sampled_from(["rename", "type"]), st.none() | NAMES))
def test_a_mark_is_read_back_from_its_comment(mark):
    assert mark_of(mark.text()) == mark


def test_comments_of_others_are_no_marks():
    assert mark_of(None) is None
    assert mark_of("keeps the names equal") is None
    assert mark_of("headway sync {not json") is None
    assert mark_of("headway sync []") is None
