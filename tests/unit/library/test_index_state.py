"""What is to be done for an index, from what the catalog has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.operations.index_catalog import bare, percent_of
from headway.operations.index_state import Build, Done, Drop, Index, Refuse, WaitFor, next_step
from headway.statements import shortened

BUILT = Index(9, "i", "public.i", 1, "public.users", True, "USING btree (email)")


def index(**changes):
    return Index(**{**vars(BUILT), **changes})


STEPS = {
    "nothing there": ((), Build()),
    "as wanted": ((BUILT,), Done(BUILT)),
    "invalid": ((index(is_valid=False),), Drop(index(is_valid=False))),
    "being built": ((index(is_valid=False, builder=7),), WaitFor(index(is_valid=False, builder=7))),
    "left by a reindex": (
        (BUILT, index(name="i_ccnew", is_valid=False)),
        Drop(index(name="i_ccnew", is_valid=False)),
    ),
    "left by a second one": (
        (index(name="i_ccold1", is_valid=False),),
        Drop(index(name="i_ccold1", is_valid=False)),
    ),
    "a reindex at work": ((BUILT, index(name="i_ccnew", is_valid=False, builder=7)), Done(BUILT)),
    "somebody's own of such a name": ((BUILT, index(name="i_ccnew")), Done(BUILT)),
    "another one's": ((index(name="ii_ccnew", is_valid=False),), Build()),
}


@pytest.mark.parametrize(("indexes", "step"), STEPS.values(), ids=STEPS)
def test_the_step(indexes, step):
    assert next_step("i", 1, indexes, "USING btree (email)") == step


@pytest.mark.parametrize(
    "found", [index(definition="USING hash (email)"), index(table_oid=2), index(table_oid=2, is_valid=False)]
)
def test_what_is_somebody_else_s_is_never_dropped(found):
    assert isinstance(next_step("i", 1, (found,), "USING btree (email)"), Refuse)


def test_a_definition_that_cannot_be_told_does_not_refuse_a_valid_index():
    assert next_step("i", 1, (BUILT,), None) == Done(BUILT)


STATES = st.builds(
    index,
    name=st.sampled_from(["i", "j", "i_ccnew", "i_ccold2"]),
    table_oid=st.sampled_from([1, 2]),
    is_valid=st.booleans(),
    builder=st.sampled_from([None, 7]),
    definition=st.sampled_from(["USING btree (email)", "USING hash (email)"]),
)


@given(st.lists(STATES, unique_by=lambda one: one.name))
def test_only_a_valid_index_of_the_name_is_a_success_and_nothing_valid_or_being_built_is_dropped(indexes):
    step = next_step("i", 1, tuple(indexes), "USING btree (email)")
    if isinstance(step, Done):
        assert step.index.is_valid
        assert step.index.name == "i"
        assert step.index.definition == "USING btree (email)"
    if isinstance(step, Drop):
        assert not step.index.is_valid
        assert step.index.builder is None
        assert step.index.name.startswith("i")


@pytest.mark.parametrize(
    ("phase", "counts", "percent"),
    [
        ("waiting for writers before build", (4, 1, 0, 0, 0, 0), 25.0),
        ("waiting for old snapshots", (0, 0, 900, 900, 0, 0), 0.0),
        ("building index: scanning table", (0, 0, 800, 200, 0, 0), 25.0),
        ("building index: loading tuples in tree", (0, 0, 800, 800, 1000, 10), 1.0),
        ("index validation: scanning index", (2, 2, 50, 25, 0, 0), 50.0),
        ("initializing", (0, 0, 0, 0, 0, 0), 0.0),
        ("building index: scanning table", (0, 0, 800, 900, 0, 0), 100.0),
    ],
)
def test_the_percent_is_that_of_the_counter_that_moves_in_the_phase(phase, counts, percent):
    assert percent_of(phase, *counts) == percent


def test_a_definition_has_no_names_of_index_and_table():
    definition = 'CREATE UNIQUE INDEX i ON ONLY public."a b" USING btree (x) WHERE (y > 1)'
    assert bare(definition, 'public."a b"', True) == "UNIQUE USING btree (x) WHERE (y > 1)"


@given(st.text(min_size=1))
def test_a_shortened_name_fits_and_is_the_same_each_time(name):
    assert len(shortened(name).encode()) <= 63
    assert shortened(name) == shortened(name)
    assert shortened(name) == name or len(name.encode()) > 63


def test_long_names_that_begin_alike_stay_different():
    assert shortened("x" * 70 + "1") != shortened("x" * 70 + "2")
