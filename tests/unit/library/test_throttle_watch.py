"""The watch without a database to look at: what is wished, and what follows when no session can be had."""

import itertools

import pytest
from sqlalchemy import create_engine

from headway.throttle.limits import Limits
from headway.throttle.own import OwnWork
from headway.throttle.signals.blocked import Blocking
from headway.throttle.signals.query import Query
from headway.throttle.verdict import CLEAR
from headway.throttle.watch import Watch, watch
from headway.wishes import Wishes
from support.waiting import wait_until

NOON = 1_783_339_200.0
"""2026-07-06 12:00 UTC, a Monday."""
NIGHT = {"from": "22:00", "to": "05:30"}


@pytest.fixture
def watching():
    opened = []

    def begin(engine, wishes=Wishes, notice=print, **more):
        opened.append(watch(engine, "users", wishes, OwnWork(), notice=notice, wall=lambda: NOON, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def sqlite():
    return create_engine("sqlite://")


def unreachable(error: BaseException):
    def connect():
        raise error

    return create_engine("postgresql+psycopg://", creator=connect)


def test_nothing_wished_and_nothing_to_look_at_is_clear(watching):
    assert watching(sqlite()).verdict() == CLEAR


def test_every_wish_holds_at_once_and_all_are_named_in_order(watching):
    wishes = Wishes(pause="paused by anna", throttle="the hook says 503", windows=(NIGHT,))
    verdict = watching(sqlite(), lambda: wishes).verdict()
    assert verdict.hold == "paused by anna; outside its windows until Monday 22:00 UTC; the hook says 503"
    assert verdict.utilization == 0, "a wish is no load of the database's"


def test_a_wish_that_is_taken_back_lets_work_go_on_at_once(watching):
    wishes = iter([Wishes(pause="paused"), Wishes()])
    throttle = watching(sqlite(), lambda: next(wishes))
    assert [bool(throttle.verdict().hold) for _ in range(2)] == [True, False]


def test_windows_that_cannot_be_read_hold_and_say_what_to_do(watching):
    wishes = Wishes(windows=({**NIGHT, "timeZone": "Mars/Olympus"},))
    assert (
        "the windows cannot be read: the time zone Mars/Olympus"
        in watching(sqlite(), lambda: wishes).verdict().hold
    )


def test_wishes_that_cannot_be_read_hold_and_do_not_raise(watching):
    def broken():
        raise RuntimeError("postgresql://user:secret@host")

    verdict = watching(sqlite(), broken).verdict()
    assert verdict.hold == "what is wished cannot be read: RuntimeError"


def test_a_named_signal_holds_when_no_session_can_be_had(watching):
    throttle = watching(unreachable(OSError("too many open files")), lambda: Wishes(is_named_lag=True))
    wait_until(lambda: "too many open files" in throttle.verdict().hold)
    assert throttle.verdict().hold == (
        "replica lag cannot be read: there is no session beside the backfill (too many open files)"
    )
    assert throttle.verdict().utilization == 0


def test_a_query_holds_when_no_session_can_be_had(watching):
    throttle = watching(unreachable(OSError("no route")), queries=[Query("queue", "SELECT 0")])
    wait_until(lambda: "no route" in throttle.verdict().hold)


def test_what_was_only_found_holds_nobody_and_is_told_once_each(watching, monkeypatch):
    monkeypatch.setattr("headway.throttle.watch.RECONNECT_SECONDS", 0.0)
    told, looks = [], itertools.count()

    def connect():
        next(looks)
        raise OSError("no route")

    throttle = watching(create_engine("postgresql+psycopg://", creator=connect), notice=told.append)
    wait_until(lambda: next(looks) > 5)
    assert throttle.verdict() == CLEAR
    assert len(told) == len(set(told)) > 0
    assert told[0].startswith("replica lag cannot be read, the backfill goes on without:")


def test_what_a_users_own_way_to_connect_says_is_not_repeated(watching):
    throttle = watching(unreachable(LookupError("password hunter2")), lambda: Wishes(is_named_lag=True))
    wait_until(lambda: "LookupError" in throttle.verdict().hold)
    assert "hunter2" not in throttle.verdict().hold


@pytest.mark.parametrize("name", ["pause", "replica lag", "commit time"])
def test_a_query_may_not_have_the_name_of_another_signal(name):
    with pytest.raises(ValueError, match="more than one signal"):
        watch(
            unreachable(OSError()),
            "users",
            Wishes,
            OwnWork(),
            notice=print,
            queries=[Query(name, "SELECT 0")],
        )


def test_where_there_is_no_side_session_a_query_is_refused():
    with pytest.raises(ValueError, match="leave the query out"):
        watch(sqlite(), "users", Wishes, OwnWork(), notice=print, queries=[Query("queue", "SELECT 0")])


class Session:
    """Is there."""

    def __init__(self, *_):
        pass

    def do(self, work):
        return work(None)


@pytest.mark.parametrize(
    ("look_seconds", "pause"), [(0.0, 0.25), (0.1, 0.15), (0.125, 0.125), (0.24, 0.24), (3.0, 3.0)]
)
def test_looks_begin_each_quarter_of_a_second_and_never_take_more_than_half_of_the_time(
    monkeypatch, look_seconds, pause
):
    now = [0.0]

    def look(*_):
        now[0] += look_seconds

    monkeypatch.setattr("headway.throttle.watch.look", look)
    monkeypatch.setattr("headway.throttle.watch.OwnSession", Session)
    watched = Watch(
        None, (), Blocking(tuple), OwnWork(), Wishes, "", Limits(), print, lambda: now[0], lambda: 0.0
    )
    assert watched.look() == pytest.approx(pause)
