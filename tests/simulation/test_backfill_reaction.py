"""From a breach to the last batch: less than a second, at every pace, for every signal and every wish.

The driver of backfills, its worker and the watch are the real ones; time is virtual, a batch and a look take what the
test says, and the looks happen meanwhile. So what is proved follows from how often is looked, how long batches are
and what is asked before each, and from nothing that a busy machine could change.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headway.backfills.board import Board
from headway.backfills.checkpoint import Checkpoint as Rows
from headway.backfills.crew import Crew
from headway.backfills.driver import Driver
from headway.backfills.orders import Leaf, Outcome, Plan
from headway.backfills.places import Keys
from headway.backfills.reports import Reports
from headway.backfills.servers import Reading
from headway.backfills.sizes import ANOTHER_SIZE, FIRST_ROWS
from headway.backfills.state import State
from headway.backfills.worker import Means, Task, Worker
from headway.facts import BackfillStarted
from headway.pace import PACES
from headway.throttle import watch, wished
from headway.throttle.limits import GIB, Limits
from headway.throttle.own import OwnWork
from headway.throttle.signals.archive import Backlog
from headway.throttle.signals.blocked import Blocked, Blocking
from headway.throttle.signals.busy import Busy
from headway.throttle.signals.chosen import names_of, signals_of
from headway.throttle.signals.dead_rows import DeadRows
from headway.throttle.signals.query import Query, query_signal
from headway.throttle.signals.replica_lag import Standby
from headway.throttle.signals.slots import Slot
from headway.wishes import parse
from support.fix_depth import examples

PROMISED_SECONDS = 1.0
LONGEST_BATCH = 1.3
"""Times the pace's target."""
LONGEST_LOOK_SECONDS = 0.09
ROWS_PER_SECOND = 20_000
QUERY = "jobs"
READINGS = {
    "replica lag": ((), (Standby("r", 1, 7.2),)),
    "replication slots": ((), (Slot("s", False, False, 8 * GIB, None),)),
    "archiving": (Backlog(0), Backlog(43)),
    "blocked sessions": (Blocked(), Blocked(1, 600.0)),
    "dead rows": (DeadRows(0, 10**6, 100.0, 1.0, True), DeadRows(10**9, 10**6, 100.0, 1.0, True)),
    "active sessions": (Busy(1, 1.0), Busy(60, 1.0)),
    QUERY: (0.0, 1.0),
}
"""What each signal reads while all is well, and in a breach."""
NEVER = {"from": "03:00", "to": "03:01", "timeZone": "UTC"}
WISHES = {
    "pause": {"pause": "paused by anna"},
    "windows": {"windows": [NEVER]},
    "throttle hook": {"throttle": "the hook says 503"},
    "stop": {"stop": True},
}
SLOWER = {"pace": "Gentle"}
NOON = 1_783_339_200.0
START = 0.5
"""By then the backfill is under way; breaches come after it."""
AFTERWARDS = 2.2
CALM_SECONDS = 12.0
LEAF = Leaf("s", "a", rows=10**9)


class Over(Exception):
    """The end of the story."""


@dataclass(frozen=True)
class Story:
    """What happens when."""

    pace: str
    breach_at: float
    batch_seconds: float
    """0: as its rows take."""
    look_seconds: float = 0.01
    signal: str = ""
    wish: str = ""
    first_look_at: float = 0.0
    commit_seconds: float = 0.0
    """Of each batch's COMMIT from the breach on."""
    rows_per_second: float = ROWS_PER_SECOND


class World:
    """Its time goes on by batches, holds and looks; remembers its looks and when batches were committed."""

    def __init__(self, story: Story) -> None:
        self.story, self.now, self.look_at = story, 0.0, story.first_look_at
        self.commits: list[float] = []
        self.batches: list[tuple[float, float]] = []
        """When each began and how long it took."""
        self.looks: list[tuple[float, float]] = []
        self.watch: watch.Watch | None = None

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        """Looks that end in this time have been read when it is over."""
        end = self.now + seconds
        while self.look_at + self.story.look_seconds <= end:
            self.now = self.look_at
            pause = self.watch.look()
            self.look_at = self.now + pause
        self.now = end

    def looked(self, connection, signals, search_path, found) -> None:
        """What was read at the beginning of a look is known at its end."""
        begun = self.now
        self.now += self.story.look_seconds
        self.looks.append((begun, self.now))
        for signal in signals:
            is_breached = signal.name == self.story.signal and begun >= self.story.breach_at
            found(signal.name, READINGS[signal.name][is_breached])

    # A link
    def wishes(self):
        if self.now > self.story.breach_at + AFTERWARDS:
            return {"stop": True}
        is_wished = self.story.wish and self.now >= self.story.breach_at
        return {"pace": self.story.pace, **({**WISHES, "pace": SLOWER}[self.story.wish] if is_wished else {})}

    def report(self, kind, facts):
        pass

    def stop(self, sentence):
        raise Over

    # A server
    @contextmanager
    def transaction(self, connection):
        yield
        if self.now >= self.story.breach_at:
            self.goes_on(self.story.commit_seconds)

    def begin(self, connection, leaf, target_ms):
        return Reading()

    def save(self, connection, leaf, checkpoint, fence, state):
        if self.now >= START:
            self.commits.append(self.now)
        return Reading()

    # A sweep
    def open(self, connection, leaf):
        return Keys((str(10**9),), 10**9), 0

    def update(self, connection, work):
        begun = self.now
        self.goes_on(self.story.batch_seconds or work.piece.rows / self.story.rows_per_second)
        self.batches.append((begun, self.now - begun))
        first = int(work.piece.after[0]) if work.piece.after else 0
        return Outcome(work.piece.rows, work.piece.rows, (str(first + work.piece.rows),))


class Session:
    """Is never cut."""

    def __init__(self, *_):
        pass

    def do(self, work):
        return work(None)

    def close(self):
        pass


class Checkpoint:
    lane = 0

    def touch(self, connection, fence):
        pass


def told(story: Story) -> World:
    """From its beginning to its end, which comes a while after the breach."""
    world = World(story)
    own = OwnWork(world)
    signals = (*signals_of("postgresql", "t", Blocking(tuple), own), query_signal(Query(QUERY, "")))
    world.watch = watch.Watch(
        None, signals, Blocking(tuple), own, lambda: parse(world.wishes()), "", Limits(), print, world,
        lambda: NOON,
    )  # fmt: skip
    started = BackfillStarted("op", "a", "b", "keyset", "it is asked for")
    task = Task(
        plan=Plan((LEAF,), is_striped=False, stripes=1, must_clear=False, is_guarded=False),
        sweep=world,
        by_key=world,
        leftovers=None,
        server=world,
        throttle=world.watch,
        own=own,
        reports=Reports(world, world, started, State().tally, 0.0),
        row_bytes=100.0,
        means=Means(world, world.goes_on, lambda: 0.5),
    )
    worker = Worker(task, Session(), Checkpoint(), 1, State())
    driver = Driver(task, worker, Crew(task, world, Rows("op", "t"), Board({})), world)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watch, "look", world.looked)
        patched.setattr(watch, "OwnSession", Session)
        with pytest.raises(Over):
            driver.run()
    assert world.commits, "it works before the breach"
    return world


def wait_of(story: Story) -> float:
    """Seconds from the breach to the last commit."""
    return told(story).commits[-1] - story.breach_at


def longest(pace: str) -> float:
    return PACES[pace].target_ms / 1000 * LONGEST_BATCH


@st.composite
def stories(draw, **named):
    pace = draw(st.sampled_from(sorted(PACES)))
    return Story(
        pace,
        START + draw(st.floats(0.7, 1.4)),
        draw(st.floats(0.02, longest(pace))),
        draw(st.floats(0.0, LONGEST_LOOK_SECONDS)),
        first_look_at=draw(st.floats(0.0, 0.25)),
        **named,
    )


@pytest.mark.parametrize("signal", READINGS)
@settings(max_examples=examples(20, thorough=60))
@given(data=st.data())
def test_a_second_after_a_breach_nothing_is_written_any_more(signal, data):
    story = data.draw(stories(signal=signal))
    assert wait_of(story) <= PROMISED_SECONDS


@pytest.mark.parametrize("pace", PACES)
def test_also_at_the_worst_moment_there_is(pace):
    """A look has just begun, and the longest batch begins when the next one is about to end."""
    calm = told(Story(pace, CALM_SECONDS, longest(pace), LONGEST_LOOK_SECONDS))
    moments = {
        max(commit for commit in calm.commits if commit < end + longest(pace)) - begun: begun
        for (begun, _), (_, end) in pairwise(calm.looks)
        if begun > START + longest(pace) and end + longest(pace) < calm.commits[-1]
    }
    worst = Story(pace, moments[max(moments)] + 0.001, longest(pace), LONGEST_LOOK_SECONDS, signal=QUERY)
    assert wait_of(worst) <= PROMISED_SECONDS


@pytest.mark.parametrize("pace", PACES)
@settings(max_examples=examples(20))
@given(
    rows_per_second=st.floats(3.0, 1000.0),
    later=st.floats(0.0, 1.4),
    look_seconds=st.floats(0.0, LONGEST_LOOK_SECONDS),
)
def test_also_where_each_row_takes_long(pace, rows_per_second, later, look_seconds):
    """But in the first batch, made for rows of which nothing was known, and those that ask whether it is so still."""
    known = 2 * FIRST_ROWS / rows_per_second
    world = told(Story(pace, known + later, 0.0, look_seconds, signal=QUERY, rows_per_second=rows_per_second))
    (_, usual), (_, last) = world.batches[-2:]
    assume(last < ANOTHER_SIZE * usual)
    assert world.commits[-1] - world.story.breach_at <= PROMISED_SECONDS


@pytest.mark.parametrize("wish", WISHES)
@settings(max_examples=examples(20, thorough=60))
@given(data=st.data())
def test_what_is_wished_counts_from_the_next_batch_on(wish, data):
    story = data.draw(stories(wish=wish))
    assert wait_of(story) <= story.batch_seconds + 1e-6


def test_a_slower_pace_counts_from_the_next_batch_on():
    batches = told(Story("Fast", 8.0, 0.0, wish="pace")).batches
    assert max(seconds for begun, seconds in batches if begun < 8.0) > 0.4
    assert max(seconds for begun, seconds in batches if begun >= 8.0) <= 0.025 * LONGEST_BATCH


def test_once_three_of_five_commits_were_slow_nothing_is_written_for_a_second():
    story = Story("Balanced", START + 1.0, 0.05, commit_seconds=0.2)
    slow = [commit for commit in told(story).commits if commit >= story.breach_at]
    assert slow[3] - slow[2] >= PROMISED_SECONDS


def test_no_signal_and_no_wish_that_holds_is_left_out_here():
    assert {*READINGS} == {*names_of("postgresql"), QUERY}
    assert {*WISHES} == {*wished.NAMES, "stop"}
