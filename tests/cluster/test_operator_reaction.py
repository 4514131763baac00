"""From an annotation to the last row that a backfill writes: at most a second, through operator, Job and runner.

By the server's clock, which also stamps each row. A busy machine makes every step longer and none shorter, so the
best of a few tries counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.slow_users import FILL, HURRY, ROWS, SLOW_USERS
from support.waiting import wait_until

PROMISED_SECONDS = 1.0
TRIES = 4
SETTLED = 1000
"""Rows, after which a batch is as long as it should be: the first one is of a size that is guessed."""

STILL = "SELECT clock_timestamp() - max(written) > interval '1.5 s' FROM users"


def now(database: Database) -> datetime:
    found = database.scalar("SELECT clock_timestamp()")
    assert isinstance(found, datetime)
    return found


def filled(database: Database) -> int:
    return int(str(database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL")))


def seconds_until_the_last_row(
    database: Database, act: Callable[[], None], is_over: Callable[[], object]
) -> float:
    """From just before the act to the last row that was there once it is known to be over."""
    sent = now(database)
    act()
    wait_until(is_over, 60, "the end of writing")
    last = database.scalar("SELECT max(written) FROM users")
    assert isinstance(last, datetime)
    return (last - sent).total_seconds()


@pytest.fixture
def filling(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> tuple[Resources, Database]:
    """A backfill under way."""
    database.execute(SLOW_USERS)
    project.revision("fill", FILL)
    shop.create("shop", {"main": database.url()})
    wait_until(lambda: filled(database) >= SETTLED, 60, "a backfill under way")
    return shop, database


def is_held(shop: Resources) -> bool:
    """As the runner has told of the pause."""
    entry = shop.database("shop", "main").get("backfill") or {}
    return "paused" in entry.get("throttledBy", "")


def works_again(database: Database) -> None:
    before = filled(database)
    wait_until(lambda: filled(database) > before, 60, "rows")


def test_a_second_after_a_pause_no_row_is_written_any_more(filling: tuple[Resources, Database]) -> None:
    shop, database = filling
    waits: list[float] = []
    while len(waits) < TRIES and min(waits, default=PROMISED_SECONDS + 1) > PROMISED_SECONDS:
        number = str(len(waits))
        waits.append(
            seconds_until_the_last_row(
                database,
                lambda: shop.annotate("shop", paused=number),  # noqa: B023
                lambda: is_held(shop),
            )
        )
        rows = filled(database)
        assert 0 < rows < ROWS
        wait_until(lambda: database.scalar(STILL), 60, "a second and a half without a row")
        assert filled(database) == rows
        shop.annotate("shop", paused=None)
        works_again(database)
        wait_until(lambda: not is_held(shop), 60, "the status to say that it goes on")
    assert min(waits) <= PROMISED_SECONDS, waits
    database.execute(HURRY)
    shop.wait_for_condition("shop", "Ready")
    assert filled(database) == ROWS


def test_a_second_after_an_abort_no_row_is_written_any_more(filling: tuple[Resources, Database]) -> None:
    shop, database = filling
    waits: list[float] = []
    while len(waits) < TRIES and min(waits, default=PROMISED_SECONDS + 1) > PROMISED_SECONDS:
        number = str(len(waits))
        waits.append(
            seconds_until_the_last_row(
                database,
                lambda: shop.annotate("shop", abort=number),  # noqa: B023
                lambda: shop.wait_for_condition("shop", "Ready", "False", reason="Aborted"),
            )
        )
        assert 0 < filled(database) < ROWS
        shop.annotate("shop", retry=number)
        works_again(database)
        shop.wait_for_condition("shop", "Ready", "Unknown")
    assert min(waits) <= PROMISED_SECONDS, waits
    database.execute(HURRY)
    shop.wait_for_condition("shop", "Ready")
    assert filled(database) == ROWS
