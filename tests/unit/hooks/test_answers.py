"""What an answer means, whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_operator.hooks.answers import LONGEST_WAIT, answered, seconds_asked_for
from headway_operator.hooks.failures import failed
from headway_operator.planner.deliveries import Answer

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))


@given(st.integers(100, 999), st.text(), st.text())
def test_every_answer_has_a_meaning_and_a_sentence(status: int, retry_after: str, date: str) -> None:
    found = answered("chat", status, retry_after, date, NOW)
    assert (found.answer is Answer.ACCEPTED) == (200 <= status < 300)
    assert found.sentence.startswith(f"chat answered {status}")
    assert found.retry_after_seconds is None or 0 <= found.retry_after_seconds <= 3600


@given(MOMENTS, st.integers(0, 7200), MOMENTS)
def test_a_time_is_read_by_the_receivers_clock(clock: datetime, seconds: int, ours: datetime) -> None:
    clock = clock.replace(microsecond=0)
    until = format_datetime(clock + timedelta(seconds=seconds), usegmt=True)
    assert seconds_asked_for(until, format_datetime(clock, usegmt=True), ours) == min(seconds, 3600)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("999999999999", LONGEST_WAIT.total_seconds()),
        ("Mon, 23 Nov 2026 08:01:00 GMT", 60),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 08:01:00 -0000", 60),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
        ("tomorrow", None),
        ("Mon, 99 Nov 2026 08:01:00 GMT", None),
    ],
)
def test_what_can_be_read_is_read_and_bounded(text: str, seconds: float | None) -> None:
    assert seconds_asked_for(text, "", NOW) == seconds


def test_a_redirect_says_what_to_do() -> None:
    assert "set the address that it leads to" in answered("chat", 301, "", "", NOW).sentence


def test_who_is_not_known_to_the_receiver_is_told_what_to_compare() -> None:
    found = answered("endpoint chat", 401, "", "", NOW)
    assert found.answer is Answer.REFUSED
    assert "compare the secrets, the key and the headers" in found.sentence


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientError("https://hooks.example.com/hidden"),
        aiohttp.ClientPayloadError("hidden"),
        aiohttp.InvalidURL("https://hidden"),
        aiohttp.ServerDisconnectedError("hidden"),
        OSError(24, "Too many open files"),
        TimeoutError("hidden"),
    ],
)
def test_no_failure_shows_what_the_error_said(error: Exception) -> None:
    found = failed("chat", error, 15)
    assert found.answer is Answer.ERROR
    assert found.sentence.startswith("chat")
    assert "hidden" not in found.sentence
