"""What each signal makes of what it read."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.pace import FAST, GENTLE
from headway.throttle.limits import GIB, MIB, Limits
from headway.throttle.own import FRESH_SECONDS, OwnWork
from headway.throttle.signals.archive import ARCHIVE, Backlog, segment_number
from headway.throttle.signals.blocked import Blocked, Blocking, Waiting, because_of
from headway.throttle.signals.busy import LEARNING_SECONDS, Counting, on_mysql
from headway.throttle.signals.dead_rows import DeadRows, dead_rows, limit_of
from headway.throttle.signals.query import Query, query_signal
from headway.throttle.signals.replica_lag import REPLICA_LAG, Standby
from headway.throttle.signals.signal import Unreadable
from headway.throttle.signals.slots import SLOTS, Slot
from headway.wishes import Wishes

LIMITS = Limits()


class Clock:
    """Stands where the test puts it."""

    now = 0.0

    def __call__(self):
        return self.now


def answers(*rows):
    return lambda statement, **values: rows


def judged(signal, reading) -> tuple[float, str]:
    level = signal.judge(reading, LIMITS)
    return pytest.approx(level.utilization), level.sentence


# replica lag


@pytest.mark.parametrize(
    ("standby", "utilization", "sentence"),
    [
        (Standby("10.0.0.7", 5, 7.2), 1.44, "replica 10.0.0.7 is 7.2 s behind (limit 5 s)"),
        (Standby("10.0.0.7", 512 * MIB, 0.1), 2.0, "replica 10.0.0.7 is 512 MiB behind (limit 256 MiB)"),
        (
            Standby("10.0.0.7", 192 * MIB, 0),
            0.75,
            "replica 10.0.0.7 is 192 MiB behind (goes on below 179 MiB)",
        ),
    ],
)
def test_a_standby_counts_by_what_is_nearer_to_its_limit(standby, utilization, sentence):
    assert judged(REPLICA_LAG, (standby,)) == (utilization, sentence)


def test_of_several_standbys_the_worst_is_named_and_none_are_fine():
    standbys = (Standby("near", 1, 0.2), Standby("far", 1, 9.0), Standby("middle", 1, 6.0))
    assert judged(REPLICA_LAG, standbys)[1].startswith("replica far is 9 s")
    assert judged(REPLICA_LAG, ()) == (0, "")


@pytest.mark.parametrize(
    ("standby", "expected"),
    [
        (("a", "streaming", 0, None), (Standby("a", 0, 0.0),)),
        (("a", "streaming", 0, 3.0), (Standby("a", 0, 0.0),)),
        (("a", "streaming", 7, None), (Standby("a", 7, 0.0),)),
        (("a", "streaming", 7, 3.0), (Standby("a", 7, 3.0),)),
        (("a", "streaming", -8, 3.0), (Standby("a", 0, 0.0),)),
        (("a", "backup", None, None), ()),
    ],
    ids=["idle", "at our last byte", "time not known", "behind", "ahead of what was asked", "base backup"],
)
def test_what_the_server_says_of_a_standby(standby, expected):
    assert REPLICA_LAG.read(answers(standby)) == expected


def test_replicas_whose_state_is_hidden_are_not_taken_for_well():
    found = REPLICA_LAG.read(answers(("a", None, None, None)))
    assert isinstance(found, Unreadable)
    assert "GRANT pg_monitor" in found.why


def test_replica_lag_is_named_by_who_wrote_its_limit_down():
    assert not REPLICA_LAG.is_named(Wishes())
    assert REPLICA_LAG.is_named(Wishes(is_named_lag=True))


def test_who_allows_more_lag_in_seconds_allows_more_bytes_and_never_fewer():
    assert LIMITS.wished(Wishes()).lag_bytes == 256 * MIB
    hour = LIMITS.wished(Wishes(is_named_lag=True, max_replica_lag_seconds=50.0))
    assert (hour.lag_seconds, hour.lag_bytes) == (50, 2560 * MIB)
    second = LIMITS.wished(Wishes(is_named_lag=True, max_replica_lag_seconds=1.0))
    assert (second.lag_seconds, second.lag_bytes) == (1, 256 * MIB)


# replication slots


@pytest.mark.parametrize(
    ("slot", "utilization", "sentence"),
    [
        (
            Slot("old", False, False, 8 * GIB, None),
            2.0,
            "replication slot old, which nobody reads, keeps 8 GiB of WAL",
        ),
        (
            Slot("cdc", True, False, 3 * GIB, 4 * GIB),
            1.5,
            "replication slot cdc keeps 3 GiB of WAL (limit 2 GiB)",
        ),
        (Slot("cdc", True, False, 1 * GIB, 4 * GIB), 0.5, "replication slot cdc keeps 1 GiB of WAL"),
        (Slot("cdc", True, True, 0, None), 1.0, "replication slot cdc is about to lose WAL that it needs"),
    ],
)
def test_a_slot_counts_by_the_wal_that_it_keeps(slot, utilization, sentence):
    found, said = judged(SLOTS, (slot,))
    assert found == utilization
    assert said.startswith(sentence)


@pytest.mark.parametrize(("setting", "limit"), [(-1, None), (0, None), (None, None), (2 * GIB, 2 * GIB)])
def test_an_unlimited_slot_has_no_limit_of_the_servers(setting, limit):
    assert SLOTS.read(answers(("s", True, "reserved", 5, setting))) == (Slot("s", True, False, 5, limit),)


# archiving


@given(st.integers(0, 2**40), st.sampled_from([2**20, 2**24, 2**30]))
def test_a_wal_files_number_is_read_from_its_name(number, segment_size):
    per_id = 2**32 // segment_size
    name = f"{3:08X}{number // per_id % 2**32:08X}{number % per_id:08X}"
    assert segment_number(name, segment_size) == number % (per_id * 2**32)


@pytest.mark.parametrize("file", [None, "", "00000002.history", "0000000100000000000000zz"])
def test_what_is_no_wal_file_has_no_number(file):
    assert segment_number(file, 2**24) is None


def archive(*state):
    return ARCHIVE.read(lambda statement, **values: [(7,)] if "count(*)" in statement else [state])


@pytest.mark.parametrize(
    ("state", "segments"),
    [
        ((False, False, None, "000000010000000000000009", 2**24), 0),
        ((True, True, None, "000000010000000000000009", 2**24), 7),
        ((True, False, "000000010000000000000005", "000000010000000000000009", 2**24), 3),
        ((True, False, "000000010000000000000008", "000000010000000000000009", 2**24), 0),
        ((True, False, "0000000100000000000000FF", "000000010000000100000001", 2**24), 1),
    ],
    ids=["off", "listed", "by number", "nothing waits", "over 4 GiB"],
)
def test_the_backlog_of_the_archiver(state, segments):
    assert archive(*state) == Backlog(segments)


def test_an_archiver_that_shows_nothing_is_not_taken_for_well():
    assert isinstance(archive(True, False, None, "000000010000000000000009", 2**24), Unreadable)


def test_a_backlog_of_42_segments_holds():
    assert judged(ARCHIVE, Backlog(42)) == (1, "42 WAL segments wait to be archived (limit 42)")


# blocked sessions


def waiting(pid: int, *behind: int, ms: float = 0.0) -> Waiting:
    return Waiting(pid, frozenset(behind), ms)


def test_who_waits_behind_somebody_who_waits_for_us_waits_for_us():
    all_waiting = [
        waiting(1, 90),
        waiting(2, 1),
        waiting(3, 2, 55),
        waiting(4, 55),
        waiting(91, 90),
        waiting(5, 0),
    ]
    assert {one.pid for one in because_of({90, 91}, all_waiting)} == {1, 2, 3}


def test_without_sessions_of_ours_nobody_waits_for_us():
    assert because_of(frozenset(), [waiting(1, 2), waiting(2, 1)]) == ()


def test_the_waits_that_are_seen_are_summed_up_without_counting_any_time_twice():
    blocking = Blocking(lambda: {90})
    looks = [
        [waiting(1, 90, ms=30)],
        [waiting(1, 90, ms=530), waiting(2, 90, ms=100)],
        [waiting(2, 90, ms=40)],
        [],
        [waiting(1, 90, ms=10)],
    ]
    assert [blocking.look(one) for one in looks] == [
        Blocked(1, 30),
        Blocked(2, 530),
        Blocked(1, 40),
        Blocked(),
        Blocked(1, 10),
    ]
    assert blocking.total_ms == 530 + 100 + 40 + 10


@pytest.mark.parametrize("version", ["10.11.6-MariaDB", "8.4.3"])
def test_where_the_server_tells_no_start_a_wait_is_as_long_as_it_was_seen(version):
    clock, waits = Clock(), []
    blocking = Blocking(lambda: {90}, clock)

    def look():
        return blocking.read_mysql(lambda query: [(version,)] if "version()" in query else list(waits))

    waits[:] = [(7, 90), (8, 7), (5, 6)]
    assert look() == Blocked(2, 0.0)
    clock.now = 0.5
    assert look() == Blocked(2, 500.0)
    assert blocking.total_ms == 1000.0
    waits[:] = [(5, 6)]
    assert look() == Blocked()
    clock.now, waits[:] = 9.0, [(7, 90)]
    assert look() == Blocked(1, 0.0)


@pytest.mark.parametrize(
    ("own", "pace", "utilization"),
    [(None, GENTLE, 1.0), (None, FAST, 0.1), (FAST, GENTLE, 1.0), (GENTLE, FAST, 1.0)],
)
def test_who_waits_longer_than_a_batch_takes_holds_and_however_long_by_no_more(own, pace, utilization):
    limits = (LIMITS if not own else Limits(pace=own)).wished(Wishes(pace=pace.name, is_named_pace=True))
    judge = Blocking(lambda: ()).signal().judge
    assert judge(Blocked(1, 50.0), limits).utilization == utilization
    assert judge(Blocked(3, 60_000.0), limits).utilization == 1
    assert judge(Blocked(3, 60_000.0), limits).sentence.startswith(
        "3 sessions wait 60000 ms for the backfill"
    )


# dead rows


def table(dead: int, rows: int = 100_000_000, threshold: float = 50, is_vacuumed: bool = True) -> DeadRows:
    return DeadRows(dead, rows, 100.0, threshold, is_vacuumed)


def test_a_fifth_of_a_large_table_holds():
    found, said = judged(dead_rows("t"), table(20_000_000))
    assert found == 1
    assert said == "the table has 20,000,000 dead rows that wait for VACUUM (limit 20,000,000)"


def test_dead_rows_that_take_little_room_hold_nobody():
    assert dead_rows("t").judge(table(1_000_000, rows=1_000_000), LIMITS).utilization < 0.1


@given(st.integers(0, 10**9), st.floats(0, 10**9))
def test_the_limit_is_above_where_autovacuum_begins_so_that_a_hold_ends(rows, threshold):
    """After autovacuum less than its threshold is left, which is below where the hold ends."""
    assert limit_of(table(0, rows, threshold), LIMITS) * 0.7 >= threshold


def test_where_autovacuum_is_off_nobody_waits_for_it():
    assert judged(dead_rows("t"), table(90_000_000, is_vacuumed=False)) == (0, "")


def test_a_table_that_is_not_there_is_unknown():
    assert isinstance(dead_rows("gone").read(answers()), Unreadable)


@dataclass
class Heap:
    """What the server counts of a table, and what it does not: which of its dead rows VACUUM alone clears away."""

    oid: int
    hot: int = 0
    """Dead, and cleared away by the next visit of their page."""
    waiting: int = 0
    moved: int = 0
    vacuums: int = 0

    def do(self, event: str, rows: int) -> None:
        if event == "updated in place":
            self.hot += rows
        elif event == "updated or deleted":
            self.waiting, self.moved = self.waiting + rows, self.moved + rows
        elif event == "visited":
            self.hot -= min(self.hot, rows)
        elif event == "vacuumed":
            self.hot, self.waiting, self.vacuums = 0, 0, self.vacuums + 1
        elif event == "reset":
            self.hot = self.waiting = self.moved = self.vacuums = 0

    def counts(self) -> tuple[Any, ...]:
        return (self.oid, self.hot + self.waiting, self.moved, self.vacuums, 10**6, 10**6, 10**8, 50.0, True)


EVENTS = ("updated in place", "updated or deleted", "visited", "vacuumed", "reset")
HAPPENS = st.tuples(st.sampled_from(EVENTS), st.integers(0, 1), st.integers(0, 9))


@given(st.lists(HAPPENS), st.integers(0, 9), st.integers(0, 9))
def test_of_the_dead_rows_those_count_that_wait_for_vacuum_and_those_that_were_there_before(
    events, hot, waiting
):
    parts = Heap(1, hot, waiting, waiting), Heap(2)
    read, before = dead_rows("t").read, {1: hot, 2: 0}
    read(answers(*(part.counts() for part in parts)))
    for event, which, rows in events:
        parts[which].do(event, rows)
        if event in ("vacuumed", "reset"):
            before[parts[which].oid] = 0
        found = read(answers(*(part.counts() for part in parts)))
        assert isinstance(found, DeadRows)
        least = sum(part.waiting for part in parts)
        most = sum(part.waiting + min(part.hot, before[part.oid]) for part in parts)
        assert least <= found.dead <= most


# active sessions


def test_twice_what_the_server_was_used_to_in_the_first_half_minute_holds():
    now = [0.0]
    counting = Counting(lambda: (), lambda: now[0])
    judge = on_mysql(lambda: ()).judge
    for active in (10, 20, 30):
        counting.counted(active)
        now[0] += 10
    busy = counting.counted(30)
    assert busy.usual == 25
    now[0] = LEARNING_SECONDS + 0.1
    for _ in range(100):
        busy = counting.counted(60)
    assert busy.usual == 25
    assert judge(busy, LIMITS).sentence == "60 other sessions work at the same time (limit 50)"


def test_a_quiet_server_holds_from_16_other_sessions_on():
    counting = Counting(lambda: ())
    assert on_mysql(lambda: ()).judge(counting.counted(0), LIMITS).utilization == 0
    assert Counting(lambda: ()).counted(2).usual == 2
    counting.counted(0)
    assert on_mysql(lambda: ()).judge(counting.counted(16), LIMITS).utilization == 1


def test_mysqls_count_is_without_our_own_sessions():
    counting = Counting(lambda: {7, 8})
    assert counting.on_mysql(answers(("Threads_running", "10"))).active == 7
    assert counting.on_mysql(answers(("Threads_running", "1"))).active == 0


def test_sessions_whose_state_is_hidden_are_not_taken_for_idle():
    assert isinstance(Counting(lambda: ()).on_postgres(answers((1, "active"), (2, None))), Unreadable)


# the user's queries


@pytest.mark.parametrize(
    ("rows", "utilization"),
    [
        ([(0,)], 0),
        ([(-3,)], 0),
        ([(0.5,)], 1),
        ([(True,)], 1),
        ([(Decimal("12"),)], 1),
        ([(2, 0), (0, 0)], 1),
    ],
)
def test_a_query_holds_above_0(rows, utilization):
    signal = query_signal(Query("orders in the queue", "SELECT 1"))
    assert signal.judge(signal.read(answers(*rows)), LIMITS).utilization == utilization


@pytest.mark.parametrize("rows", [[], [(None,)], [("many",)], [(float("nan"),)], [(Decimal("NaN"),)]])
def test_a_query_that_gives_no_number_is_unknown_and_somebody_named_it(rows):
    signal = query_signal(Query("orders in the queue", "SELECT 1"))
    assert isinstance(signal.read(answers(*rows)), Unreadable)
    assert signal.is_named(Wishes())


def test_a_query_is_named_with_its_value():
    signal = query_signal(Query("orders in the queue", "SELECT 1"))
    assert signal.judge(17.0, LIMITS).sentence == "orders in the queue is 17 (goes on at 0)"


# our own commits


def test_slow_commits_hold_for_a_second_and_then_one_more_is_tried():
    now = [0.0]
    own = OwnWork(lambda: now[0])
    assert own.level(LIMITS).utilization == 0
    own.committed(150.0)
    assert own.level(LIMITS).sentence == "commits take 150 ms (limit 100 ms)"
    now[0] = FRESH_SECONDS
    assert own.level(LIMITS).utilization == 0


def test_one_slow_commit_among_fast_ones_holds_nobody():
    own = OwnWork()
    for duration in (2.0, 3.0, 900.0, 2.0, 4.0):
        own.committed(duration)
    assert own.level(LIMITS).utilization == pytest.approx(0.03)
