"""A backfill under the real operator: its rows move in the status, and annotations steer it while it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.apiclient import ApiClient
from support.backfilling import ROWS, fill_users, make_users
from support.controlplane import Cluster
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until
from support.watched import Watched, is_seldom

MORE_THAN_A_MINUTE = 61.0


class Filling:
    """A resource whose only database is being filled."""

    def __init__(self, client: ApiClient, shop: Resources, database: Database, go: Path) -> None:
        self.shop, self.database, self.go = shop, database, go
        shop.create("shop", {"main": database.url()}, backfill={"pace": "Gentle", "maxWorkers": 2})
        self.watched = Watched(client, shop, "shop")

    @property
    def filled(self) -> int:
        return int(str(self.database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL")))

    @property
    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = self.shop.database("shop", "main").get("backfill") or {}
        return found

    def wait_for_entry(self, **facts: Any) -> dict[str, Any]:
        """The backfill's entry in the status, once it has these facts."""

        def holds() -> dict[str, Any]:
            entry = self.entry
            return entry if entry and all(entry.get(name) == value for name, value in facts.items()) else {}

        return wait_until(holds, 60, f"a backfill with {facts}")

    def wait_until_held(self) -> int:
        """Until two looks, a batch or more apart, see the same rows: how many these are."""

        def stands() -> bool:
            return str(self.entry.get("throttledBy", "")).startswith("paused: ")

        wait_until(stands, 60, "the hold")
        return self.filled


@pytest.fixture
def filling(
    client: ApiClient,
    operator: OperatorProcess,
    shop: Resources,
    project: Project,
    database: Database,
    tmp_path: Path,
) -> Iterator[Filling]:
    make_users(database)
    fill_users(project.tables("first"), tmp_path / "go", held_seconds=MORE_THAN_A_MINUTE).tables("last")
    made = Filling(client, shop, database, tmp_path / "go")
    yield made
    made.watched.close()


def test_its_rows_move_in_the_columns_and_no_more_than_one_write_is_made_in_two_seconds(
    filling: Filling, control_plane: Cluster
) -> None:
    def moved() -> bool:
        told = [
            body["status"]["databases"][0]["backfill"] for body in filling.watched.of_phase("Backfilling")
        ]
        return len({entry["rowsDone"] for entry in told if "rowsDone" in entry}) >= 4

    wait_until(moved, 60, "rows that move")
    row = control_plane.kubectl("-n", filling.shop.namespace, "get", "dbmig", "shop", "-o", "wide").stdout
    assert "Backfilling" in row
    assert "backfilling users.status: " in row
    progressed = filling.shop.wait_for_event("BackfillProgressed")
    filling.go.touch()
    filling.shop.wait_for_condition("shop", "Ready")
    states = filling.watched.of_phase("Backfilling")
    assert is_seldom(states)
    rows = [body["status"]["databases"][0]["backfill"].get("rowsDone", 0) for body in states]
    percents = [body["status"]["progress"]["percent"] for body in states]
    assert rows == sorted(rows)
    assert percents == sorted(percents)
    assert {body["status"]["databases"][0]["phase"] for body in states} == {"Backfilling"}
    (record,) = filling.shop.database("shop", "main")["backfills"]
    assert (record["operation"], record["rows"], record["hotPercent"]) == ("fill", ROWS, 50)
    assert "backfill" not in filling.shop.database("shop", "main")
    assert filling.shop.condition("shop", "BackfillComplete")["reason"] == "BackfillsDone"
    assert filling.filled == ROWS
    assert {"BackfillStarted", "BackfillFinished"} <= set(filling.shop.event_reasons())
    assert progressed["type"] == "Normal"
    told = re.fullmatch(r"main: backfilling users\.status: .* rows \((\d+)%\), .*", progressed["note"])
    assert told, progressed["note"]
    assert 25 <= int(told[1]) < 100
    assert 1 <= len(filling.shop.events("BackfillProgressed")) <= 3


def test_the_annotations_hold_it_change_its_pace_and_let_it_go_on(filling: Filling) -> None:
    filling.wait_for_entry(workers=2, throttledBy="Gentle")
    filling.shop.annotate("shop", pace="Fast")
    filling.wait_for_entry(throttledBy="Fast")
    assert filling.shop.get("shop")["status"]["lastHandledPace"] == "Fast"

    filling.shop.annotate("shop", paused="1")
    held = filling.shop.wait_for_condition("shop", "Reconciling", reason="Paused")
    rows = filling.wait_until_held()
    assert filling.shop.get("shop")["status"]["lastHandledPaused"] == "1"
    assert filling.shop.condition("shop", "Ready")["status"] == "Unknown"
    assert "nothing is started until it is removed" in held["message"]
    assert filling.shop.database("shop", "main")["phase"] == "Backfilling"
    (job,) = filling.shop.jobs()
    pod = filling.shop.pod_of(job["metadata"]["name"])
    wish = json.loads(pod["metadata"]["annotations"]["headway.dev/control"])
    assert (wish["pause"], wish["backfill"]) == (
        "the annotation headway.dev/paused is set", {"pace": "Fast", "maxWorkers": 2},
    )  # fmt: skip
    told = filling.shop.wait_for_event("BackfillHeld")
    assert told["type"] == "Normal", "it is what somebody wished"
    assert told["note"].endswith("holds for 1 min: paused: the annotation headway.dev/paused is set")

    filling.shop.annotate("shop", paused=None)
    filling.wait_for_entry(throttledBy="Fast")
    assert filling.filled >= rows
    filling.go.touch()
    filling.shop.wait_for_condition("shop", "Ready")
    assert [job["metadata"]["name"] for job in filling.shop.jobs()] == [job["metadata"]["name"]]
    assert filling.filled == ROWS


def test_a_pause_that_outlasts_the_deadline_of_its_job_is_gone_on_with(
    filling: Filling, operator: OperatorProcess
) -> None:
    """Nobody looks until the Job controller has removed the pod, and with it what the runner said last."""
    filling.wait_for_entry(workers=2)
    filling.shop.annotate("shop", paused="1")
    filling.wait_until_held()
    operator.stop()
    (job,) = filling.shop.jobs()
    path = f"{filling.shop.batch}/{job['metadata']['name']}"
    filling.shop.client.patch(path, {"spec": {"activeDeadlineSeconds": 1}})

    def has_failed() -> bool:
        conditions = filling.shop.client.get(path)["status"].get("conditions") or []
        return ("Failed", "DeadlineExceeded") in [(one["type"], one["reason"]) for one in conditions]

    wait_until(has_failed, 60, "the end of the Job")
    operator.start()
    stopped = "stopped before its end"
    wait_until(lambda: stopped in filling.shop.database("shop", "main").get("message", ""), 60, stopped)
    assert "phase" not in filling.shop.database("shop", "main"), "it is Pending again, which is the default"
    assert filling.shop.condition("shop", "Reconciling")["reason"] == "Paused"
    filling.go.touch()
    filling.shop.annotate("shop", paused=None)
    filling.shop.wait_for_condition("shop", "Ready")
    assert filling.filled == ROWS


def test_a_new_specification_during_a_pause_leaves_nothing_at_work(filling: Filling) -> None:
    filling.wait_for_entry(workers=2)
    filling.shop.annotate("shop", paused="1")
    filling.wait_until_held()
    filling.shop.annotate("shop", retry="1")
    stopped = "It stopped in the backfill of users.status at "
    wait_until(lambda: stopped in filling.shop.database("shop", "main").get("message", ""), 60, stopped)
    main = filling.shop.database("shop", "main")
    assert ("phase" in main, "backfill" in main) == (False, False), "Pending, which is the default"
    progress = filling.shop.get("shop")["status"]["progress"]
    assert "jobName" not in progress
    assert "backfill" not in progress["summary"]
    filling.go.touch()
    filling.shop.annotate("shop", paused=None)
    filling.shop.wait_for_condition("shop", "Ready")
    assert filling.filled == ROWS


def test_a_suspension_stops_it_at_a_batch_and_the_next_run_goes_on(filling: Filling) -> None:
    filling.wait_for_entry(workers=2)
    filling.shop.change("shop", suspend=True)
    filling.shop.wait_for_condition("shop", "Reconciling", reason="Suspended")
    stopped = "It stopped in the backfill of users.status at "
    wait_until(lambda: stopped in filling.shop.database("shop", "main").get("message", ""), 60, stopped)
    assert "phase" not in filling.shop.database("shop", "main"), "it is Pending again, which is the default"
    assert 0 < filling.filled < ROWS
    filling.go.touch()
    filling.shop.change("shop", suspend=False)
    filling.shop.wait_for_condition("shop", "Ready")
    assert filling.filled == ROWS


def test_a_resource_that_is_paused_from_the_start_starts_no_job(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("first")
    shop.secret("shop-main", uri=database.url())
    body = {
        "apiVersion": "headway.dev/v1alpha1",
        "kind": "DatabaseMigration",
        "metadata": {"name": "shop", "annotations": {"headway.dev/paused": "1"}},
        "spec": {
            "image": "shop:1",
            "databases": [{"name": "main", "urlFrom": {"secretKeyRef": {"name": "shop-main", "key": "uri"}}}],
        },
    }
    shop.client.post(shop.migrations, body)
    shop.wait_for_condition("shop", "Reconciling", reason="Paused")
    assert shop.condition("shop", "Ready")["status"] == "Unknown"
    assert shop.jobs("Plan") == shop.jobs() == []
    shop.annotate("shop", paused=None)
    shop.wait_for_condition("shop", "Ready")
    assert "first" in database.tables()


def test_a_pace_that_there_is_not_is_refused_and_corrected(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("first")
    shop.create("shop", {"main": database.url()}, suspend=True)
    shop.annotate("shop", pace="Turbo")
    refused = shop.wait_for_condition("shop", "Stalled", reason="UnsupportedAnnotation")
    assert "Turbo is none of Gentle, Balanced, Fast" in refused["message"]
    shop.annotate("shop", pace="gentle")
    shop.change("shop", suspend=False)
    shop.wait_for_condition("shop", "Ready")
