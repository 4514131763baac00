"""How a table is gone through: each rule, its reason, and what is refused with advice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.backfills.choice import RULES, Choice, Refused, choose
from headway.backfills.known import Asked, Column, Known, Tried
from headway.backfills.orders import Leaf

CLEARS = Tried(100, 0)
ASKED = Asked("users", None, (("status", "lower(email)"),), "status IS NULL")
KNOWN = Known(
    dialect="postgresql",
    schema="public",
    table="users",
    leaves=(Leaf("public", "users", 1, rows=10_000, density=50.0),),
    targets=(Column("status", "text"),),
    key=(Column("id", "bigint"),),
    key_name="the primary key",
    no_blocks="",
    reads_target=False,
    volatility="immutable",
    where_reads_target=True,
    is_comparable=True,
    tried=CLEARS,
    signature="1:2",
)
NO_WHERE = replace(ASKED, where="")
NOT_TRIED = replace(KNOWN, where_reads_target=False, tried=None)
READS = replace(KNOWN, reads_target=True)


def choice(asked=ASKED, known=KNOWN):
    found = choose(asked, known)
    assert isinstance(found, Choice), found
    return found


def refused(asked=ASKED, known=KNOWN):
    found = choose(asked, known)
    assert isinstance(found, Refused), found
    return found.sentence


def test_the_order_of_the_rules():
    assert [rule.__name__ for rule in RULES] == [
        "partition_key_is_set",
        "once_is_asked_for",
        "expression_reads_what_it_sets",
        "nothing_tells_updated_rows_apart",
        "keyset_is_asked_for",
        "blocks_are_no_way",
        "nothing_finds_moved_rows",
        "blocks",
    ]


@pytest.mark.parametrize(
    ("asked", "known", "strategy", "guard", "is_once"),
    [
        (ASKED, KNOWN, "striped", "where", False),
        (NO_WHERE, NOT_TRIED, "striped", "distinct", False),
        (ASKED, replace(KNOWN, tried=Tried(100, 3)), "striped", "both", False),
        (ASKED, replace(KNOWN, tried=None), "striped", "both", False),
        (ASKED, replace(KNOWN, tried=Tried(0, 0)), "striped", "both", False),
        (ASKED, replace(KNOWN, tried=Tried(9, 1), is_comparable=False), "striped", "where", False),
        (NO_WHERE, replace(NOT_TRIED, is_comparable=False), "keyset", "", True),
        (ASKED, replace(KNOWN, volatility="volatile"), "striped", "where", False),
        (ASKED, replace(KNOWN, volatility="volatile", tried=Tried(9, 1)), "keyset", "", True),
        (NO_WHERE, replace(NOT_TRIED, volatility="stable"), "keyset", "", True),
        (replace(NO_WHERE, synced=True), replace(NOT_TRIED, volatility="stable"), "striped", "", False),
        (replace(NO_WHERE, synced=True), replace(NOT_TRIED, volatility="volatile"), "keyset", "", True),
        (replace(ASKED, exactly_once=True), KNOWN, "keyset", "", True),
        (ASKED, READS, "striped", "where", False),
        (ASKED, replace(READS, tried=Tried(9, 1)), "keyset", "", True),
        (NO_WHERE, replace(NOT_TRIED, reads_target=True), "keyset", "", True),
        (replace(NO_WHERE, exactly_once=False), replace(NOT_TRIED, reads_target=True), "keyset", "", False),
        (replace(NO_WHERE, exactly_once=False), replace(NOT_TRIED, volatility="stable"), "keyset", "", False),
        (replace(NO_WHERE, exactly_once=False), NOT_TRIED, "striped", "distinct", False),
        (
            replace(NO_WHERE, exactly_once=False, synced=True),
            replace(NOT_TRIED, volatility="volatile"),
            "striped",
            "",
            False,
        ),
        (replace(ASKED, strategy="keyset"), KNOWN, "keyset", "where", False),
        (ASKED, replace(KNOWN, no_blocks="it is old"), "keyset", "where", False),
    ],
)
def test_what_is_chosen(asked, known, strategy, guard, is_once):
    found = choice(asked, known)
    assert (found.strategy, found.guard, found.is_once) == (strategy, guard, is_once)
    assert found.reason
    assert not found.reason.endswith(".")


def test_an_expression_that_reads_what_it_sets_must_clear_its_condition_for_every_row():
    assert choice(ASKED, READS).must_clear
    assert choice(replace(ASKED, strategy="keyset"), READS).must_clear
    assert not choice(replace(ASKED, exactly_once=False), READS).must_clear
    assert not choice().must_clear


@pytest.mark.parametrize(
    ("named", "known", "is_harmful"),
    [
        ({}, {"reads_target": True}, True),
        ({"exactly_once": True}, {}, True),
        ({}, {"volatility": "volatile"}, False),
    ],
)
@pytest.mark.parametrize("signature", ["", "1:2"])
def test_what_must_not_be_done_again_is_not_where_the_column_may_be_another(
    named, known, is_harmful, signature
):
    """Without a signature nobody can tell that: harmless ones are done again then."""
    found = choice(replace(NO_WHERE, **named), replace(NOT_TRIED, signature=signature, **known))
    assert found.is_once
    assert found.is_harmful_again == is_harmful
    assert found.may_repeat == (not signature and not is_harmful)


@pytest.mark.parametrize(
    ("density", "stripes"), [(200, 16), (32, 16), (31.9, 8), (16, 8), (15, 4), (6, 4), (5.9, 1), (1, 1)]
)
def test_stripes_by_the_rows_in_a_block(density, stripes):
    leaf = replace(KNOWN.leaves[0], density=density)
    assert choice(known=replace(KNOWN, leaves=(leaf,))).stripes == stripes


def test_an_index_in_another_order_than_the_blocks_gets_more_stripes_and_is_named():
    found = choice(known=replace(KNOWN, scattered="users_pkey"))
    assert found.stripes == 32
    assert "in 32 stripes, because users_pkey is in another order than the blocks" in found.reason


def test_a_column_in_an_index_gets_stripes_only_where_they_are_asked_for():
    known = replace(KNOWN, indexes=("by_status",))
    assert choice(known=known).stripes == 1
    found = choice(replace(ASKED, strategy="striped"), known)
    assert (found.stripes, found.needs_hot) == (16, False)
    assert choice(replace(ASKED, strategy="striped")).needs_hot


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"indexes": ("users_status_idx",)}, "users_status_idx has the column"),
        ({"filled": 0.6}, "blocks have room for the new versions"),
        (
            {"old_snapshot": "a transaction of pid 7"},
            "a transaction of pid 7 keeps blocks from being cleaned",
        ),
    ],
)
def test_where_stripes_do_not_help_blocks_are_taken_in_order(change, words):
    found = choice(known=replace(KNOWN, **change))
    assert found.stripes == 1
    assert words in found.reason


@pytest.mark.parametrize(
    ("asked", "known", "words"),
    [
        (
            ASKED,
            replace(KNOWN, partition_keys=("status",)),
            "status decides in which partition of users a row lies",
        ),
        (NO_WHERE, replace(NOT_TRIED, reads_target=True, key=()), "no primary key"),
        (replace(ASKED, strategy="striped", exactly_once=True), KNOWN, "may update a row of users twice"),
        (
            replace(NO_WHERE, strategy="striped", exactly_once=False),
            replace(NOT_TRIED, reads_target=True),
            "may miss rows of users: a row that others update meanwhile",
        ),
        (
            replace(NO_WHERE, exactly_once=False),
            replace(NOT_TRIED, reads_target=True, key=()),
            "no condition finds it there. Add such a key",
        ),
        (
            replace(ASKED, strategy="striped"),
            replace(KNOWN, no_blocks="it is old"),
            "impossible for users: it is old",
        ),
        (
            replace(ASKED, strategy="keyset"),
            replace(KNOWN, key=(Column("status"),)),
            "status belongs to the key",
        ),
        (
            replace(ASKED, strategy="keyset"),
            replace(KNOWN, key=(Column("code"),), generated=("code",)),
            "code belongs to the key",
        ),
    ],
)
def test_what_is_refused_says_why_and_what_to_do(asked, known, words):
    sentence = refused(asked, known)
    assert words in sentence
    assert len(sentence.split(". ")) >= 2


KNOWNS = st.builds(
    lambda **changes: replace(KNOWN, **changes),
    reads_target=st.booleans(),
    volatility=st.sampled_from(["immutable", "stable", "volatile"]),
    where_reads_target=st.booleans(),
    is_comparable=st.booleans(),
    tried=st.sampled_from([None, CLEARS, Tried(100, 1), Tried(0, 0)]),
    no_blocks=st.sampled_from(["", "it is old"]),
    key=st.sampled_from([(), KNOWN.key]),
)
ASKEDS = st.builds(
    lambda **changes: replace(ASKED, **changes),
    where=st.sampled_from(["", "status IS NULL"]),
    strategy=st.sampled_from(["auto", "keyset", "striped"]),
    exactly_once=st.sampled_from([None, True, False]),
    synced=st.booleans(),
)


@given(ASKEDS, KNOWNS)
def test_blocks_are_never_chosen_where_a_second_update_would_do_harm(asked, known):
    found = choose(asked, known)
    if isinstance(found, Refused) or found.strategy == "keyset":
        return
    if known.reads_target and asked.exactly_once is None:
        assert found.must_clear
        assert found.guard == "where"
    assert not asked.exactly_once
    assert found.guard or (asked.synced and (asked.exactly_once is False or known.volatility != "volatile"))


@given(ASKEDS, KNOWNS)
def test_a_row_is_updated_twice_along_a_key_only_where_that_is_vouched_for_or_does_no_harm(asked, known):
    found = choose(asked, known)
    if isinstance(found, Choice) and found.strategy == "keyset" and not found.is_once:
        assert not asked.exactly_once
        assert found.guard or asked.exactly_once is False or (asked.synced and known.volatility != "volatile")
        assert found.guard != "distinct" or not known.reads_target


@given(ASKEDS, KNOWNS)
def test_blocks_are_swept_only_where_rows_that_moved_are_found_or_kept_right(asked, known):
    found = choose(asked, known)
    if isinstance(found, Choice) and found.strategy == "striped":
        assert found.guard or asked.synced


@given(ASKEDS, KNOWNS)
def test_whatever_is_known_there_is_an_answer_that_keeps_to_what_was_asked(asked, known):
    found = choose(asked, known)
    if isinstance(found, Choice):
        assert asked.strategy in ("auto", found.strategy)
        assert found.strategy == "striped" or known.key
