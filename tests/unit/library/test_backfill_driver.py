"""The driver of a backfill between its batches: what waiting has come to is not forgotten."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from statistics import median_high

import pytest
from sqlalchemy.exc import DBAPIError

from headway.backfills.board import Board
from headway.backfills.checkpoint import Checkpoint as Rows
from headway.backfills.claimed import SQLITE
from headway.backfills.crew import Crew
from headway.backfills.driver import TOUCH_SECONDS, Driver
from headway.backfills.orders import Leaf, Outcome, Parked, Plan
from headway.backfills.places import Keys
from headway.backfills.reports import Reports
from headway.backfills.servers import Reading
from headway.backfills.sizes import BUSY_SHRINK, FEWEST_ROWS, FIRST_ROWS, Size
from headway.backfills.state import State
from headway.backfills.stored import as_text
from headway.backfills.worker import BackfillIncomplete, Means, Task, Worker
from headway.facts import BackfillStarted
from headway.link import NoLink
from headway.pace import FAST, GENTLE
from headway.throttle.verdict import CLEAR, Verdict
from support.revisions import Told

LEAF = Leaf("s", "a", rows=10_000)
PLAN = Plan((LEAF,), is_striped=False, stripes=1, must_clear=False, is_guarded=False)
STARTED = BackfillStarted("op", "a", "b", "keyset", "it is asked for")


class Server:
    """Everything works, and nothing is counted."""

    def __init__(self):
        self.saved = State()

    def transaction(self, connection):
        return nullcontext()

    def begin(self, connection, leaf, target_ms):
        return Reading()

    def without_limit(self, connection):
        pass

    def save(self, connection, leaf, checkpoint, fence, state):
        self.saved = state
        return Reading()


class Session:
    """Is cut as often as `cuts` says, when it is to show that the run lives."""

    def __init__(self):
        self.renewed = 0

    def do(self, work):
        return work(None)

    def renew(self):
        self.renewed += 1


class Sweep:
    """Ten thousand rows; remembers how many each batch was made for."""

    def __init__(self):
        self.batches = []

    def open(self, connection, leaf):
        return Keys(("10000",), 10_000), 0

    def update(self, connection, work):
        first = int(work.piece.after[0]) if work.piece.after else 0
        last = min(first + work.piece.rows, 10_000)
        self.batches.append(work.piece.rows)
        return Outcome(last - first, work.piece.rows, (str(last),))


@dataclass
class Far:
    """A server, and a sweep of it, where each statement and each commit takes its time, as each row does."""

    clock: Clock
    statement: float
    commit: float
    row: float
    rows: int = 10_000
    batches: list[int] = field(default_factory=list)

    @contextmanager
    def transaction(self, connection):
        yield
        self.clock.sleep(self.commit)

    def begin(self, connection, leaf, target_ms):
        self.clock.sleep(self.statement)
        return Reading()

    def save(self, connection, leaf, checkpoint, fence, state):
        return self.begin(connection, leaf, 0.0)

    def open(self, connection, leaf):
        return Keys((str(self.rows),), self.rows), 0

    def update(self, connection, work):
        self.clock.sleep(2 * self.statement + work.piece.rows * self.row)
        first = int(work.piece.after[0]) if work.piece.after else 0
        last = min(first + work.piece.rows, self.rows)
        self.batches.append(work.piece.rows)
        return Outcome(last - first, work.piece.rows, (str(last),))


class BadSweep(Sweep):
    """Of each batch, the row before its end cannot be updated."""

    def update(self, connection, work):
        outcome = super().update(connection, work)
        return replace(outcome, parked=(Parked("s.a", (outcome.last[0] + "0",), "22012"),))

    def update_again(self, connection, leaf, keys):
        return Outcome(0, len(keys), parked=tuple(Parked("s.a", key, "22012") for key in keys))


class Checkpoint:
    """Its first touches fail."""

    lane = 0

    def __init__(self, server, failures):
        self.server = server
        self.failures = failures
        self.touches = 0

    def touch(self, connection, fence):
        self.touches += 1
        if self.touches <= self.failures:
            raise ConnectionResetError("server closed the connection")

    def retake(self, connection):
        return 2, as_text(self.server.saved)


class Verdicts:
    """One after the other, the last one for ever."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def verdict(self):
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]


class Clock:
    """Goes on by a second at each look, so that every batch takes as long as the last one."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class DataError(Exception):
    """As a driver raises it."""


class BlindLook:
    """Fails on the data of a row that no sweep comes upon."""

    looks = 0

    def look(self, connection):
        self.looks += 1
        assert self.looks <= 2
        raise DBAPIError("SELECT", {}, DataError("invalid"))


class Own:
    """Nothing is read from beside."""

    def committed(self, milliseconds):
        pass


def driver(throttle, failures=0, **changed):
    sweep = changed.pop("sweep", None) or Sweep()
    clock, server = Clock(), Server()
    link = changed.pop("link", None) or NoLink()
    task = Task(
        plan=PLAN,
        sweep=sweep,
        by_key=sweep,
        leftovers=None,
        server=server,
        throttle=throttle,
        own=Own(),
        reports=Reports(link, clock, STARTED, State().tally, 0.0),
        row_bytes=100.0,
        means=Means(clock, clock.sleep, lambda: 0.5),
    )
    task = replace(task, **changed)
    worker = Worker(task, Session(), Checkpoint(server, failures), 1, State())
    return Driver(task, worker, Crew(task, link, Rows("op", "t"), Board({})), link)


def test_a_database_near_its_limits_gets_smaller_batches_at_once():
    busy = driver(Verdicts(Verdict(utilization=0.9)))
    busy.run()
    assert busy.task.sweep.batches[0] < FIRST_ROWS
    assert busy.task.sweep.batches[0] <= FIRST_ROWS * BUSY_SHRINK


def filled_far(statement, commit, row, rows=10_000, **named):
    """The rows that most of its batches have, once their size has settled."""
    clock = Clock()
    far = Far(clock, statement, commit, row, rows)
    means = Means(clock, clock.sleep, lambda: 0.5)
    driver(Verdicts(CLEAR), sweep=far, by_key=far, server=far, means=means, **named).run()
    return median_high(far.batches[len(far.batches) // 2 : -1])


def test_rows_that_take_long_are_taken_one_by_one_and_not_where_only_the_way_to_the_server_is_long():
    assert filled_far(statement=0.001, commit=0.001, row=0.2, rows=1000) == 1
    assert filled_far(statement=0.1, commit=0.2, row=0.2, rows=1000) == 1
    assert filled_far(statement=0.1, commit=0.2, row=0.0001) >= FEWEST_ROWS


@pytest.mark.parametrize(
    ("own", "wished", "rows"),
    [
        (None, {}, 500),
        (None, {"pace": "Fast"}, 2500),
        (FAST, {}, 2500),
        (FAST, {"pace": "Gentle"}, 125),
        (FAST, {"pace": "Slothful"}, 2500),
        (GENTLE, {"pace": "Fast"}, 125),
        (SQLITE, {"pace": "Gentle"}, 100),
    ],
)
def test_of_the_revisions_own_pace_and_a_wished_one_the_gentler_counts(own, wished, rows):
    assert filled_far(0.0, 0.0, 0.0002, pace=own, link=Told(wished=wished)) == pytest.approx(rows, rel=0.05)


def test_a_wished_pace_that_does_not_count_is_told_once():
    told = Told(wished={"pace": "Fast"})
    driver(Verdicts(CLEAR), pace=GENTLE, link=told).run()
    (notice,) = told.notices()
    assert "the pace Fast is wished, but it goes at the pace Gentle, which is gentler" in notice
    told = Told(wished={"pace": "Gentle"})
    driver(Verdicts(CLEAR), pace=FAST, link=told).run()
    assert not told.notices()


def test_every_row_is_visited_also_when_it_was_held():
    held = driver(Verdicts(CLEAR, Verdict(hold="a replica lags"), CLEAR))
    assert held.run().tally.rows == 10_000


@pytest.mark.parametrize("failures", [1, 3])
def test_a_connection_that_is_cut_while_it_holds_is_made_anew_and_nothing_is_lost(failures):
    holds = [Verdict(hold="somebody pauses it")] * int(5 * (failures + 2) * TOUCH_SECONDS)
    cut = driver(Verdicts(*[CLEAR] * 12, *holds, CLEAR), failures)
    cut.worker.state = replace(cut.state, size=Size(700))
    assert cut.run().tally.rows == 10_000
    assert cut.worker.session.renewed == failures
    assert cut.worker.fence == 2


def test_odd_bad_rows_are_told_at_the_end_and_many_of_them_end_it_early():
    few, many = (driver(Verdicts(CLEAR), sweep=BadSweep(), batch_rows=rows) for rows in (200, 50))
    assert len(few.run().parked) <= 100
    with pytest.raises(
        BackfillIncomplete, match=r"More than 100 rows cannot be updated, so it stopped early"
    ):
        many.run()


def test_a_look_that_fails_on_data_has_the_table_swept_for_the_row_once_and_not_for_ever():
    blind = driver(Verdicts(CLEAR), plan=replace(PLAN, is_guarded=True), leftovers=BlindLook())
    with pytest.raises(BackfillIncomplete, match=r"Which rows of a are still to be updated cannot be told"):
        blind.run()
    assert blind.state.tally.rows == 2 * 10_000
