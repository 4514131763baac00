"""What `kubectl get dbmig` shows of work that the library really does: a backfill's rate, an index's blocks.

The columns are those of the API server's own table. The runner, its project and PostgreSQL are real; a trigger makes
each row take four milliseconds, a lock holds the building of the index at one row.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from support.apiclient import ApiClient
from support.controlplane import Cluster
from support.held_index import BUILD, INDEX, HeldIndex
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.slow_users import FILL, HURRY, ROWS, SECONDS_PER_ROW, SLOW_USERS
from support.waiting import wait_until
from support.watched import Watched, is_seldom

TOLD = re.compile(
    r"main: backfilling users\.status: (?P<done>[\d.]+k?)/20k rows \((?P<percent>\d+)%\), (?P<rate>[\d.]+k?) rows/s"
)
FILLED = "SELECT count(*) FROM users WHERE status IS NOT NULL"


def number(text: str) -> float:
    """Of rows, as it is told."""
    return float(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)


class Columns:
    """The table as kubectl prints it."""

    def __init__(self, control_plane: Cluster, shop: Resources) -> None:
        self._kubectl = lambda: (
            control_plane.kubectl("-n", shop.namespace, "get", "dbmig", "shop", "-o", "wide").stdout
        )

    def now(self) -> dict[str, str]:
        """By their headings; a value begins where its heading does."""
        heading, line = self._kubectl().splitlines()[:2]
        starts = [found.start() for found in re.finditer(r"(?<!\S)\S", heading)]
        ends = [*starts[1:], None]
        return {
            heading[start:end].strip(): line[start:end].strip()
            for start, end in zip(starts, ends, strict=True)
        }

    def wait_for(self, holds: Callable[[dict[str, str]], object]) -> dict[str, str]:
        """The columns once this is true of them."""
        return wait_until(lambda: found if holds(found := self.now()) else {}, 60, "the columns")


@pytest.fixture
def columns(control_plane: Cluster, shop: Resources) -> Columns:
    return Columns(control_plane, shop)


def test_a_real_backfill_shows_its_percentage_and_its_rate_and_is_written_every_two_seconds_at_most(
    operator: OperatorProcess,
    client: ApiClient,
    shop: Resources,
    project: Project,
    database: Database,
    columns: Columns,
) -> None:
    database.execute(SLOW_USERS)
    project.tables("first").revision("fill", FILL)
    shop.create("shop", {"main": database.url()}, backfill={"pace": "Gentle"})
    watched = Watched(client, shop, "shop")
    early = columns.wait_for(lambda row: TOLD.search(row["MESSAGE"]))
    late = columns.wait_for(lambda row: told(row)["percent"] >= told(early)["percent"] + 4)
    filled = int(str(database.scalar(FILLED)))
    for row in (early, late):
        assert (row["READY"], row["PHASE"]) == ("Unknown", "Backfilling")
        percent = told(row)["percent"]
        (run,) = re.fullmatch(rf"0/1 · (\d+)% · backfill {percent:.0f}%", row["PROGRESS"]).groups()
        assert int(run) == pytest.approx(50 + percent / 2, abs=1), "the second of two revisions"
        assert 0 < told(row)["rate"] <= 1 / SECONDS_PER_ROW
        assert percent == pytest.approx(100 * told(row)["done"] / ROWS, abs=2)
    assert 0 < told(early)["done"] <= told(late)["done"] <= filled + 50, (
        "no more than are done, but for the rounding"
    )

    wait_until(lambda: len(watched.of_phase("Backfilling")) >= 5, 60, "five states")
    assert is_seldom(watched.of_phase("Backfilling"))

    shop.annotate("shop", paused="1")
    held = columns.wait_for(lambda row: "holds: " in row["MESSAGE"])
    assert "holds: the annotation headway.dev/paused is set" in held["MESSAGE"]
    rows = database.scalar(FILLED)
    columns.wait_for(lambda row: row["PHASE"] == "Waiting" and "holds: " in row["MESSAGE"])
    assert database.scalar(FILLED) == rows
    database.execute(HURRY)
    shop.annotate("shop", paused=None)
    shop.wait_for_condition("shop", "Ready")
    assert columns.wait_for(lambda row: row["READY"] == "True")["PROGRESS"] == "1/1 · 100%"
    assert database.scalar(FILLED) == ROWS
    watched.close()


def told(row: dict[str, str]) -> dict[str, float]:
    """The numbers of the message."""
    found = TOLD.search(row["MESSAGE"])
    assert found, row
    return {name: number(text) for name, text in found.groupdict().items()}


def test_the_building_of_an_index_shows_how_many_of_its_blocks_the_server_has_read(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, columns: Columns
) -> None:
    held = HeldIndex(database)
    project.tables("first").revision("index", BUILD)
    shop.create("shop", {"main": database.url()})
    scanning = rf"main: building index {INDEX} on public\.events: building index: scanning table (\d+)%"

    def shows_where_it_is_held(row: dict[str, str]) -> bool:
        found = re.search(scanning, row["MESSAGE"])
        return found is not None and abs(int(found[1]) - held.percent) <= 2

    columns.wait_for(shows_where_it_is_held)
    assert not held.is_built
    held.let_go()
    shop.wait_for_condition("shop", "Ready")
    assert held.is_built
