"""Our ``dataclass(frozen=True)`` beside the standard library's: the same to whoever uses a class."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract import records


@records.dataclass(frozen=True)
class Ours:
    """A class of each kind of field."""

    name: str
    count: int = 0
    hidden: tuple[str, ...] = dataclasses.field(default=(), repr=False)


@dataclasses.dataclass(frozen=True)
class Theirs:
    """The same."""

    name: str
    count: int = 0
    hidden: tuple[str, ...] = dataclasses.field(default=(), repr=False)


@records.dataclass(frozen=True)
class OursExtended(Ours):
    """With one more."""

    more: bool = False


@dataclasses.dataclass(frozen=True)
class TheirsExtended(Theirs):
    """With one more."""

    more: bool = False


PAIRS = ((Ours, Theirs), (OursExtended, TheirsExtended))
VALUES = {
    "name": st.text(max_size=2),
    "count": st.integers(0, 2),
    "hidden": st.sampled_from([(), ("a",)]),
    "more": st.booleans(),
    "other": st.none(),
}
ARGUMENTS = st.tuples(
    st.lists(st.text(max_size=2), max_size=5),
    st.lists(st.sampled_from(sorted(VALUES)), unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
    ),
)


def made(kind, arguments):
    """An object, or that there is none."""
    try:
        return kind(*arguments[0], **arguments[1])
    except TypeError:
        return TypeError


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(ARGUMENTS, ARGUMENTS)
def test_an_object_is_made_shown_compared_and_found_again_as_theirs(ours, theirs, first, second):
    one, other = made(ours, first), made(ours, second)
    like_one, like_other = made(theirs, first), made(theirs, second)
    assert (one is TypeError) == (like_one is TypeError)
    if TypeError in (one, other):
        return
    assert dataclasses.asdict(one) == dataclasses.asdict(like_one)
    assert repr(one) == repr(like_one).replace("Theirs", "Ours")
    assert (one == other) == (like_one == like_other)
    assert hash(one) == hash(like_one)
    assert (one in {other}) == (like_one in {like_other})


def test_an_object_is_copied_sent_and_changed_into_another_as_theirs():
    one = OursExtended("a", 1, ("b",), True)
    assert copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one
    assert dataclasses.replace(one, count=2) == OursExtended("a", 2, ("b",), True)
    assert one != Ours("a", 1, ("b",))
    assert one != ("a", 1, ("b",), True)
    match one:
        case OursExtended(name, count):
            assert (name, count) == ("a", 1)


def test_an_object_cannot_be_changed():
    one = Ours("a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        one.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'count'"):
        del one.count
    assert one == Ours("a")


@pytest.mark.parametrize(
    ("values", "named", "said"),
    [
        ((), {}, "Ours lacks name"),
        ((), {"count": 1}, "Ours lacks name"),
        (("a",), {"name": "secret"}, "Ours got two values for 'name'"),
        (("a",), {"nmae": "secret"}, "Ours got an unexpected argument 'nmae'"),
        (("a", 1, (), 4), {}, "Ours takes 3 values, 4 were given"),
    ],
)
def test_wrong_arguments_are_refused_by_name_and_without_their_values(values, named, said):
    with pytest.raises(TypeError) as raised:
        Ours(*values, **named)
    assert str(raised.value) == said


def test_what_these_classes_do_not_have_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match="names: a default that is made for each object"):

        @records.dataclass(frozen=True)
        class WithFactory:
            names: list[str] = dataclasses.field(default_factory=list)

    with pytest.raises(TypeError, match="__post_init__ would not be called"):

        @records.dataclass(frozen=True)
        class WithAfterthought:
            name: str

            def __post_init__(self):
                pass
