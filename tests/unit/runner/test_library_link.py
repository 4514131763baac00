"""What the operations library tells and is told: plain values, of versions that may differ."""

from __future__ import annotations

import pytest

from headway.facts import BackfillFinished, BackfillProgressed, BackfillStarted, IndexBuilding, Noticed, tell
from headway.wishes import Wishes, parse
from headway_contract import events
from headway_contract.backfill import LEFT_OUT, BackfillSettings
from headway_contract.control import Control
from headway_runner.processes.level import Level
from headway_runner.run.library import AT_FIRST_SECONDS, TOLD_EVERY_SECONDS, LibraryLink, SafeStop

WINDOW = {"days": ["Saturday"], "from": "22:00", "to": "05:30", "timeZone": "Europe/Vienna"}


class Heard:
    """A link to a parent that only remembers."""

    def __init__(self):
        self.events, self.level, self.stop_requested = [], Level.make(), False

    def emit(self, *told):
        self.events.extend(told)

    def control(self):
        return self.level.get()


class Bench:
    """The library's link under a clock of its own."""

    def __init__(self, settings=LEFT_OUT):
        self.heard, self.now = Heard(), 0.0
        self.link = LibraryLink(self.heard, "main", settings, lambda: self.now)

    def progress(self, rows=1, percent=1.0, throttled_by="", operation="fill", after=0.0):
        self.now += after
        tell(
            self.link, BackfillProgressed(operation, "users", rows, 100, percent, 5.0, None, 1, throttled_by)
        )

    @property
    def rows(self):
        return [one.rows_done for one in self.heard.events if isinstance(one, events.BackfillProgressed)]


@pytest.fixture
def bench():
    return Bench()


def test_every_fact_of_the_library_is_an_event_with_the_same_values(bench):
    facts = (
        BackfillStarted("fill", "users", "status", "striped", "It is safe.", 3, 100),
        BackfillProgressed("fill", "users", 4, 100, 4.0, 5.5, None, 2, "lag", 1.5),
        BackfillFinished("fill", "users", 100, 1.5, 2, 3, 4, 0.5, 6, 7.5, 8.5, 9.5, 10.5),
        IndexBuilding("ix", "users", "scanning", 42.0, "session 7"),
        Noticed("Something."),
    )
    for fact in facts:
        tell(bench.link, fact)
    assert [type(one).__name__ for one in bench.heard.events] == [
        "BackfillStarted", "BackfillProgressed", "BackfillFinished", "IndexBuilding", "Notice",
    ]  # fmt: skip
    for fact, event in zip(facts, bench.heard.events, strict=True):
        told = getattr(event, "record", event)
        assert {name: getattr(told, name) for name in vars(fact)} == vars(fact)
        assert event.database == "main"
    assert [one.rows for one in bench.link.records] == [100]


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("FromTheFuture", {"a": 1}),
        ("BackfillProgressed", {"operation": "fill", "table": "users", "rows_done": "many"}),
        ("BackfillProgressed", {"table": "users"}),
        ("BackfillFinished", {}),
    ],
)
def test_what_is_not_understood_is_skipped_and_raises_nothing(bench, kind, facts):
    bench.link.report(kind, facts)
    assert bench.heard.events == []


def test_fields_of_a_newer_library_are_skipped(bench):
    bench.link.report("Noticed", {"message": "Something.", "colour": "red"})
    assert bench.heard.events == [events.Notice("main", "Something.")]


def test_progress_is_told_now_and_then_and_each_operation_for_itself(bench):
    for number in range(20):
        bench.progress(rows=number, after=TOLD_EVERY_SECONDS / 4)
    assert bench.rows == [0, 4, 8, 12, 16]
    bench.progress(rows=99, operation="other")
    assert bench.rows[-1] == 99


def test_after_a_minute_it_is_told_less_often(bench):
    for _ in range(int(2 * AT_FIRST_SECONDS)):
        bench.progress(after=1.0)
    assert len(bench.rows) == 1.5 * AT_FIRST_SECONDS


def test_that_it_begins_to_hold_and_goes_on_is_told_at_once(bench):
    bench.progress(rows=1)
    bench.progress(rows=2, throttled_by="replica lag 7.1 s")
    bench.progress(rows=2, throttled_by="replica lag 7.2 s")
    bench.progress(rows=3)
    assert bench.rows == [1, 2, 3]


def test_a_hold_is_told_once_and_then_each_minute_while_nothing_moves(bench):
    bench.progress(rows=1)
    for second in range(121):
        bench.progress(rows=2, throttled_by=f"replica lag {second}.5 s (limit 5 s)", after=1.0)
    assert bench.rows == [1, 2, 2, 2]


def test_another_reason_to_hold_and_rows_that_still_come_are_told_at_once(bench):
    bench.progress(rows=1, throttled_by="replica lag 7 s")
    bench.progress(rows=1, throttled_by="paused by hand")
    bench.progress(rows=2, throttled_by="paused by hand")
    assert bench.rows == [1, 1, 2]


def test_texts_of_any_length_fit_a_line(bench):
    tell(bench.link, Noticed("x" * 100_000))
    assert len(bench.heard.events[0].message) < 1000


def test_what_nobody_has_said_is_the_librarys_own_default(bench):
    assert parse(bench.link.wishes()) == Wishes()


def test_the_requests_values_hold_until_a_control_value_has_others():
    bench = Bench(BackfillSettings("Gentle", 2, 7, (WINDOW,)))
    wishes = parse(bench.link.wishes())
    assert (wishes.pace, wishes.max_workers, wishes.max_replica_lag_seconds) == ("Gentle", 2, 7.0)
    assert (wishes.windows, wishes.is_named_lag) == ((WINDOW,), True)
    bench.heard.level.put(Control(1, backfill=BackfillSettings("Fast"), pause="by hand", throttle="no"))
    wishes = parse(bench.link.wishes())
    assert (wishes.pace, wishes.max_workers, wishes.is_named_lag) == ("Fast", None, False)
    assert (wishes.pause, wishes.throttle) == ("by hand", "no")


def test_a_stop_is_wished_by_the_control_value_and_by_the_order(bench):
    bench.heard.stop_requested = True
    assert parse(bench.link.wishes()).stop
    bench.heard.stop_requested = False
    bench.heard.level.put(Control(1, stop=True, reason="because"))
    assert parse(bench.link.wishes()).stop_reason == "because"


def test_a_stop_says_where(bench):
    tell(bench.link, BackfillStarted("fill", "users", "status", "keyset", ""))
    bench.progress(rows=42, percent=42.4)
    with pytest.raises(
        SafeStop, match=r"^It stopped in the backfill of users.status at 42%, 42 rows updated. Go on."
    ):
        bench.link.stop("Go on.")
    bench.heard.level.put(Control(1, stop=True, reason="the specification has changed"))
    with pytest.raises(SafeStop, match=r"rows updated.$"):
        bench.link.stop("the specification has changed")
    bench.link.clear()
    with pytest.raises(SafeStop, match=r"^Go on.$"):
        bench.link.stop("Go on.")
    assert not issubclass(SafeStop, Exception)


def test_the_numbers_of_a_stop_are_the_last_ones_that_anybody_is_told(bench):
    tell(bench.link, BackfillStarted("fill", "users", "status", "keyset", ""))
    bench.progress(rows=42, percent=42.0)
    bench.progress(rows=44, percent=44.0)
    assert bench.rows == [42]
    with pytest.raises(SafeStop, match=r"at 44%, 44 rows updated"):
        bench.link.stop("Go on.")
    assert bench.rows == [42, 44]
