"""A backfill of two million rows, looked at and steered as people do it: with kubectl."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.fix_node import USERS
from support.node.place import Place
from support.node.team import PATIENCE, Team, a_row_held
from support.postgres import Database
from support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)

PERCENT = re.compile(r"· (\d+)%")


@contextmanager
def watched(node_place: Place, team: Team, output: Path) -> Iterator[None]:
    """`kubectl get dbmig -w` in a terminal beside."""
    command = node_place.cluster.kubectl_command("-n", team.namespace, "get", "dbmig", "shop", "--watch")
    with (
        output.open("wb") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


class Steering:
    """When the runner has answered which order: the lines of its log, as they come."""

    def __init__(self, team: Team) -> None:
        (pod,) = team.pods_of(team.job())
        path = f"{team.core}/pods/{pod['metadata']['name']}/log?follow=true"
        self._team = team
        self._answers: list[tuple[float, bool]] = []
        threading.Thread(target=self._follow, args=(path,), daemon=True).start()

    def _follow(self, path: str) -> None:
        with self._team.client.stream(path) as lines:
            for line in lines:
                if b'"kind":"Steered"' in line:
                    event = json.loads(line[line.index(b"{") :])
                    self._answers.append((time.monotonic(), bool(event.get("pause"))))

    def delay(self, *, paused: bool, token: str | None) -> float:
        """Seconds from the annotation until the runner obeys."""
        start = time.monotonic()
        self._team.annotate("shop", paused=token)

        def answered() -> float:
            times = [when for when, pause in self._answers if when > start and pause is paused]
            return times[0] - start if times else 0.0

        return wait_until(answered, PATIENCE, f"the runner's answer to paused={token}")


def test_its_rows_are_seen_moving_and_an_annotation_holds_them_and_lets_them_go(
    node_place: Place,
    team: Team,
    shop_of_years: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = tmp_path / "screen"

    def percents() -> list[int]:
        return [int(found) for found in PERCENT.findall(screen.read_text())]

    with a_row_held(shop_of_years):
        team.apply_shop({"main": shop_of_years}, target="backfill_user_status")
        with watched(node_place, team, screen):
            team.wait_until_filling()
            wait_until(lambda: len(set(percents())) >= 3, PATIENCE, "a third state on the screen")
        steering = Steering(team)
        pause = steering.delay(paused=True, token="1")
        team.wait_for_condition("shop", "Reconciling", reason="Paused", timeout=PATIENCE)
        held = wait_until(lambda: filled_if_still(team, shop_of_years), PATIENCE, "rows that stand still")
        resume = steering.delay(paused=False, token=None)
    with capsys.disabled():
        print(f"\nannotation → runner: paused after {pause:.2f} s, resumed after {resume:.2f} s")
    team.wait_until_ready()
    seen = percents()
    assert seen == sorted(seen)
    assert 0 < held < USERS
    assert filled(shop_of_years) == USERS
    assert team.attempts("main") == ["1"]


def filled(database: Database) -> int:
    return int(str(database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL")))


def filled_if_still(team: Team, database: Database) -> int:
    """How many rows are done, once the status says that it holds; 0 before."""
    entry = team.database("shop", "main").get("backfill") or {}
    return filled(database) if "paused" in entry.get("throttledBy", "") else 0
