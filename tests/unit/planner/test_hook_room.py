"""How many messages of hooks the status holds, and which give way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headway_operator.api.hooks import FailurePolicy, HookStatus, HookType, Point, Result
from headway_operator.api.status import DatabasePhase, DatabaseStatus, Run, Status
from headway_operator.planner.deliveries import Polled
from headway_operator.planner.room import HELD_AT_MOST, OPEN_AT_MOST, Room
from headway_operator.planner.throttles import with_states
from support.crd import resource_schema
from support.fix_depth import examples
from support.hooked import NOT_YET, YES, a_hook


def test_as_many_are_held_as_the_schema_allows():
    assert resource_schema("status")["properties"]["hooks"]["maxItems"] == HELD_AT_MOST


def test_what_more_throttles_say_than_there_is_room_for_is_written_once_those_that_hold_first():
    names = [f"load{number}" for number in range(16)]
    hooks = {name: a_hook(name, "Throttle", [Point.DURING_BACKFILL]) for name in names}
    databases = tuple(DatabaseStatus(f"db{one}", DatabasePhase.BACKFILLING) for one in range(16))
    status = Status(run=Run("r1"), databases=databases)
    polled = tuple(
        Polled(name, f"r1/{one.name}/a1", NOT_YET if place > 12 else YES)
        for place, one in enumerate(databases)
        for name in names
    )
    room, entries = Room.of(status, hooks), ()
    written = []
    for now in ("2026-11-23T08:00:00Z", "2026-11-23T08:00:05Z"):
        entries = room.trimmed(with_states(entries, hooks, polled, status, now))
        written.append(entries)
    assert len(entries) == HELD_AT_MOST
    assert sum(one.result is Result.WAITING for one in entries) == 3 * 16
    assert written[0] == written[1]


def test_the_messages_of_one_point_find_room_together_or_wait():
    room = Room("r1", {}, frozenset(), False)
    waiting = tuple(
        HookStatus("a", HookType.NOTIFY, Point.ON_READY, Result.PENDING, id=f"{one}", run="r1")
        for one in range(OPEN_AT_MOST - 2)
    )
    assert room.has_for(waiting, 2)
    assert not room.has_for(waiting, 3)


def test_what_a_step_waits_for_is_remembered_as_told_however_much_else_is_told_meanwhile():
    told = tuple(
        HookStatus("a", HookType.NOTIFY, Point.BEFORE_DATABASE, Result.DELIVERED, id=f"{one}", run="r1")
        for one in range(100)
    )
    kept = Room("r1", {}, frozenset(), False).trimmed(told, {"0"})
    assert [one.id for one in kept] == ["0", *(f"{one}" for one in range(68, 100))]


ENTRIES = st.builds(
    HookStatus,
    name=st.sampled_from(["a", "b"]),
    type=st.sampled_from(HookType),
    point=st.sampled_from(Point),
    result=st.sampled_from(Result),
    id=st.uuids().map(str) | st.just(""),
    run=st.sampled_from(["r1", "r2"]),
    database=st.sampled_from(["", "main", "other"]),
)


@given(st.lists(ENTRIES, min_size=1, max_size=30), st.integers(100, 300), st.randoms(use_true_random=False))
@settings(max_examples=examples(50, 1000))
def test_any_messages_are_cut_to_what_the_status_holds_and_cutting_them_again_changes_nothing(
    some, count, chance
):
    entries = chance.choices(some, k=count)
    room = Room(
        "r1",
        {"a": a_hook("a", "Check"), "b": a_hook("b", "Check", failure_policy=FailurePolicy.IGNORE)},
        frozenset(),
        False,
    )
    kept = room.trimmed(tuple(entries))
    assert len(kept) <= HELD_AT_MOST
    assert room.trimmed(kept) == kept
