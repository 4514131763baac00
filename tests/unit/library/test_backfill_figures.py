"""Progress, sums and records of a backfill, and its keys as texts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.backfills.failures import Cause, failure_of
from headway.backfills.key_texts import PythonTexts
from headway.backfills.known import Asked
from headway.backfills.names import LONGEST, default_name
from headway.backfills.progress import Progress, percent, share_done
from headway.backfills.record import finished
from headway.backfills.state import State
from headway.backfills.tally import Tally


def at_a_rate(seconds, rows=1000, whole=100_000):
    progress = Progress.begun(0.0, 0, 0.0)
    for second in range(1, seconds + 1):
        progress = progress.seen(float(second), rows * second, rows * second / whole)
    return progress


def test_the_rate_and_the_rest_of_the_time():
    progress = at_a_rate(20)
    assert progress.rows_per_second == pytest.approx(1000)
    assert progress.eta_seconds == pytest.approx(80)


def test_pauses_count():
    progress = at_a_rate(20)
    for second in range(21, 41):
        progress = progress.seen(float(second), 20_000, 0.2)
    assert progress.rows_per_second == pytest.approx(500)
    assert progress.eta_seconds == pytest.approx(160)


def test_what_was_more_than_a_minute_ago_counts_no_more():
    progress = at_a_rate(30)
    for second in range(31, 100):
        progress = progress.seen(float(second), 30_000, 0.3)
    assert progress.rows_per_second == 0.0
    assert progress.eta_seconds is None


def test_an_estimate_is_hidden_while_it_means_nothing():
    slow = at_a_rate(29, rows=10, whole=10**6)
    assert slow.eta_seconds is None
    assert slow.seen(30.0, 300, 0.0003).eta_seconds is not None
    assert at_a_rate(1).eta_seconds is not None


def test_memory_stays_bounded_however_often_it_is_asked():
    progress = Progress.begun(0.0, 0, 0.0)
    for tick in range(2000):
        progress = progress.seen(tick / 100, tick, tick / 10**6)
    assert len(progress.samples) < 70
    assert progress.rows_per_second == pytest.approx(100, rel=0.05)


def test_blocks_without_rows_that_are_leapt_over_do_not_promise_an_early_end():
    progress = Progress.begun(0.0, 0, 0.0)
    told = []
    for second in range(1, 21):
        progress = progress.seen(float(second), 1000 * second, 0.5 + second / 200)
        told.append((progress.eta_seconds, 100 - second))
    assert told[0][0] is None, "half of the blocks were over in the first second"
    assert all(eta is None or eta > left / 3 for eta, left in told)
    assert progress.eta_seconds == pytest.approx(80, rel=0.2)


def test_where_the_rows_lie_at_the_beginning_they_count_and_not_the_blocks():
    assert share_done(0.03, 12_000, 200_000) == pytest.approx(0.06)
    assert share_done(0.3, 12_000, 200_000) == pytest.approx(0.3), "a condition may choose few of the rows"
    assert share_done(0.3, 0, 0) == pytest.approx(0.3), "nobody knows how many there are"


@given(st.floats(0, 1), st.integers(0, 10**9), st.integers(0, 10**9))
def test_rows_of_a_wrong_estimate_never_tell_the_end(place, rows, total):
    done = share_done(place, rows, total)
    assert place <= done <= (1 + place) / 2
    assert share_done(1.0, rows, total) == 1.0


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(0, 100)), max_size=50), st.integers(0, 2000))
def test_the_share_that_is_done_only_grows(steps, total):
    place, rows, before = 0.0, 0, 0.0
    for further, more in steps:
        place, rows = min(place + further, 1.0), rows + more
        done = share_done(place, rows, total)
        assert done >= before
        before = done


@given(st.lists(st.floats(0, 1), max_size=50))
def test_the_percentage_never_runs_backwards_and_is_not_100_before_the_end(fractions):
    told = 0.0
    for fraction in fractions:
        told, before = percent(fraction, told), told
        assert before <= told < 100


@given(st.lists(st.floats(0.5, 60_000), min_size=1, max_size=200))
def test_quantiles_are_right_within_a_step(milliseconds):
    tally = Tally()
    for one in milliseconds:
        tally = tally.with_batch(one)
    exact = sorted(milliseconds)[max(0, -(-len(milliseconds) // 2) - 1)]
    assert exact <= tally.quantile_ms(0.5) * 1.0001
    assert tally.quantile_ms(0.5) <= exact * 1.19


def test_the_record_tells_growth_and_hot_updates():
    tally = Tally(
        rows=10, updates=10, hot_updates=8, heap_bytes=100, index_bytes=50, seconds=2.0, wal_bytes=7
    )
    fact = finished("op", "users", State(tally=tally), (130, 50))
    assert (fact.heap_growth_bytes, fact.index_growth_bytes, fact.hot_ratio) == (30, 0, 0.8)
    assert (fact.rows, fact.wal_bytes, fact.seconds) == (10, 7, 2.0)


def test_what_the_server_does_not_tell_is_none():
    fact = finished("op", "users", State(), (-1, -1))
    assert (fact.heap_growth_bytes, fact.index_growth_bytes, fact.hot_ratio, fact.wal_bytes) == (None,) * 4


KEYS = st.one_of(
    st.integers(),
    st.text(),
    st.floats(allow_nan=False),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.uuids(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
)


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_key_is_the_same_value_after_it_was_a_text(values):
    texts = PythonTexts(has_rows=True)
    back = [texts.value(one) for one in texts.key(values)]
    assert back == values
    assert [type(one) for one in back] == [type(one) for one in values]


@pytest.mark.parametrize("value", [1.5 + 2j, object(), None])
def test_a_key_that_has_no_text_is_told(value):
    with pytest.raises(TypeError, match="Name another unique key"):
        PythonTexts(has_rows=True).key([value])


def test_kinds_of_keys_that_are_known():
    assert PythonTexts(True).value('["Decimal","1.10"]') == Decimal("1.10")
    assert PythonTexts(True).value('["UUID","00000000-0000-0000-0000-000000000007"]') == UUID(int=7)


class Raised(Exception):
    """An exception of SQLAlchemy's around one of a driver's."""

    def __init__(self, orig, connection_invalidated=False):
        super().__init__("(…) [SQL: …]")
        self.orig = orig
        self.connection_invalidated = connection_invalidated


def of_state(state, *arguments):
    error = Exception(*arguments or ("said",))
    error.sqlstate = state
    return Raised(error)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        *((of_state(one), Cause.BUSY) for one in ("40P01", "40001")),
        *((of_state(one), Cause.SLOW) for one in ("55P03", "57014")),
        *(
            (of_state(one), Cause.LOST)
            for one in ("57P01", "57P02", "57P03", "08006", "08003", "53300", "25P03")
        ),
        *((of_state(one), Cause.DATA) for one in ("22012", "22P02", "23505", "23514", "23502")),
        *((of_state(one), Cause.FATAL) for one in ("42P01", "42703", "42501", "53100", "XX000", "25006")),
        (of_state("HY000", 3819, "Check constraint"), Cause.DATA),
        (Raised(Exception(1205, "Lock wait timeout exceeded")), Cause.SLOW),
        (Raised(Exception(1213, "Deadlock found")), Cause.BUSY),
        (Raised(Exception(2013, "Lost connection")), Cause.LOST),
        (Raised(Exception(1062, "Duplicate entry")), Cause.DATA),
        (Raised(Exception("database is locked")), Cause.SLOW),
        (Raised(Exception("the connection is closed")), Cause.LOST),
        (Raised(Exception("server closed the connection unexpectedly")), Cause.LOST),
        (Raised(Exception("anything"), connection_invalidated=True), Cause.LOST),
        (ConnectionRefusedError("no"), Cause.LOST),
        (Raised(Exception("syntax error")), Cause.FATAL),
        (Raised(Exception({"C": "23505", "M": "…"})), Cause.DATA),
    ],
    ids=str,
)
def test_what_an_error_comes_to(error, cause):
    assert failure_of(error).cause is cause


@given(st.text(max_size=400), st.lists(st.text(max_size=100), min_size=1, max_size=5), st.text(max_size=50))
def test_names_fit_the_checkpoint_and_differ_by_condition(table, columns, where):
    asked = Asked(table, "s", tuple((column, "1") for column in columns), where)
    name = default_name(asked, "a1")
    assert len(name) <= LONGEST
    other = Asked(table, "s", asked.assignments, where + " ")
    assert default_name(other, "a1") != name


def test_a_name_says_what_it_is_of():
    asked = Asked("users", None, (("status", "1"), ("at", "2")))
    assert default_name(asked, "8f2a") == "8f2a: users (status, at)"
