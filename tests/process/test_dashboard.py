"""The dashboard of the chart: each query answers with what a real operator exposes, and each panel can be read.

The operator's own collectors live through some migrations here; their text at each minute is what promtool knows when
it is asked the queries.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from headway_contract import events
from headway_operator.api.conditions import OWN_CONDITIONS, State, conditions_for
from headway_operator.api.hooks import HookStatus, HookType, Point, Result
from headway_operator.api.migration import Migration
from headway_operator.api.status import (
    BackfillStatus,
    DatabasePhase,
    DatabaseStatus,
    HistoryEntry,
    Progress,
    Run,
    Status,
)
from headway_operator.planner.deliveries import Answer, Answered, Delivery
from headway_operator.server.metrics.leadership import Leadership
from headway_operator.server.metrics.loop_lag import LoopLag
from headway_operator.server.metrics.registry import registry, shown
from headway_operator.server.metrics.runs import Runs
from headway_operator.server.metrics.witness import Counting
from headway_operator.server.metrics.work import Requests
from support import tools
from support.builders import a_migration
from support.fix_chart import CHART

DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
CHOICES = {"$namespace": ".*", "$migration": ".*", "$__rate_interval": "5m"}
START, END = "2026-11-03T10:00:00Z", "2026-11-03T10:30:00Z"
PERSON_IS_NEEDED = {"Stalled", "Failed behind the gate", "Wait for a person"}


def seen(name: str, state: State, reason: str, **fields: Any) -> Migration:
    """A resource in this state, and for this reason."""
    own = dict.fromkeys(OWN_CONDITIONS, ("Unknown", reason, "because"))
    status = Status(
        phase=str(reason),
        conditions=conditions_for(state, reason, "because", own, 1),
        run=Run(f"run-of-{name}", start_time=START),
        progress=Progress(percent=42, updated_time=START),
    )
    return replace(a_migration(), name=name, status=replace(status, **fields))


def filling(held: str = "") -> tuple[DatabaseStatus, ...]:
    """A database of which a backfill is at work."""
    backfill = BackfillStatus(
        operation="fill", table="users", rows_done=4, rows_total=9, rows_per_second=3, eta_seconds=2,
        throttled_by=held,
    )  # fmt: skip
    return (DatabaseStatus("main", DatabasePhase.BACKFILLING, pending_count=2, backfill=backfill),)


@dataclass
class Operator:
    """What counts in a real one; ``pages`` is what it showed at each minute."""

    counting: Counting
    requests: Requests
    lag: LoopLag
    now: list[float]
    pages: list[str]

    @classmethod
    def started(cls) -> Operator:
        """It has seen nothing yet."""
        now = [0.0]
        return cls(Counting(runs=Runs(lambda: now[0])), Requests(), LoopLag(sleep=at_once), now, [])

    def a_minute_later(self) -> None:
        """A scrape, and then a minute passes."""
        collectors = (Leadership(lambda: 1, lambda: 0), *self.counting.collectors, self.requests, self.lag)
        self.pages.append(shown(registry(collectors)).decode())
        self.now[0] += 60

    def series(self) -> list[dict[str, str]]:
        """As promtool takes them: one value for each minute."""
        found: dict[str, list[str]] = {}
        for minute, page in enumerate(self.pages):
            for family in text_string_to_metric_families(page):
                for name, labels, value, *_ in family.samples:
                    pairs = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
                    values = found.setdefault(f"{name}{{{pairs}}}", ["_"] * minute)
                    values.append(repr(float(value)))
            for values in found.values():
                values.extend(["_"] * (minute + 1 - len(values)))
        return [{"series": name, "values": " ".join(values)} for name, values in found.items()]


async def ask_the_api_server(requests: Requests) -> None:
    """Some requests, as the operator makes them."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(base_url=server.make_url("/"), trace_configs=[requests.trace()]) as session,
        session.get("api"),
    ):
        pass


async def at_once(_: float) -> None:
    """Instead of a second, one turn of the loop."""
    await asyncio.sleep(0)


async def measure_the_loop(lag: LoopLag) -> None:
    """Some turns of it, each taken for a second."""
    async with lag.measuring():
        for _ in range(4):
            await asyncio.sleep(0)


@pytest.fixture
async def life() -> Operator:
    """Migrations that end, fail on both sides of the gate, wait for a person, backfill, and are held."""
    operator = Operator.started()
    counting = operator.counting
    counting.work.queue_depth = lambda: 3
    counting.work.log_streams = lambda: 2
    counting.work.log_reconnects = lambda: {"Ended": 1, "Silent": 0, "Broke": 0}
    await ask_the_api_server(operator.requests)
    operator.a_minute_later()
    ending = seen("ending", State.PROGRESSING, "WaitingForApproval")
    for migration in (
        ending,
        seen("broken", State.FAILED, "RevisionFailed"),
        seen("behind", State.READY_FAILED, "RevisionFailed"),
        seen("waiting", State.WAITING, "WaitingForApproval"),
        seen("filling", State.PROGRESSING, "Backfilling", databases=filling()),
        seen("held", State.PROGRESSING, "Backfilling", databases=filling("hook load refused")),
    ):
        counting.saw(migration)
    operator.a_minute_later()
    history = (HistoryEntry("a", result="Succeeded", completion_time=END),)
    run = replace(ending.status.run or Run(), completion_time=END, result="Succeeded")
    sent = HookStatus(id="1", name="chat", type=HookType.NOTIFY, point=Point.ON_READY, result=Result.FAILED)
    counting.saw(seen("ending", State.SUCCEEDED, "Succeeded", run=run, history=history, hooks=(sent,)))
    counting.heard("shops", "ending", events.PassRetried("main", "lock", 1, 2.0))
    counting.heard("shops", "ending", events.LockAwaited("main"))
    counting.reconciled("success", 0.1)
    message = Delivery("1", "chat", HookType.NOTIFY, Point.ON_READY, "", "", "", {}, END)
    counting.called(message, Answered(Answer.ACCEPTED, 204))
    await ask_the_api_server(operator.requests)
    await measure_the_loop(operator.lag)
    operator.a_minute_later()
    return operator


def queries() -> Iterator[tuple[str, str]]:
    """Panel and query, as Grafana sends it when everything is chosen."""
    for panel in PANELS:
        for target in panel["targets"]:
            query = target["expr"].removesuffix(" or vector(0)")
            for variable, choice in CHOICES.items():
                query = query.replace(variable, choice)
            yield f"{panel['title']} {target['refId']}", query


def test_each_query_has_an_answer_in_what_the_operator_exposes(life: Operator, tmp_path: Path) -> None:
    asked = list(queries())
    # A number, and not NaN, which is neither over nor under anything.
    checks = [
        {
            "expr": f"count(({query}) > -1) > bool 0",
            "eval_time": f"{len(life.pages) - 1}m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for _, query in asked
    ]
    unit = {"interval": "1m", "input_series": life.series(), "promql_expr_test": checks}
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [unit]}))
    done = subprocess.run(
        [tools.find(tools.PROMTOOL), "test", "rules", "queries.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(asked) > 30


def test_a_legend_uses_only_labels_that_its_query_keeps() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            kept = set(re.findall(r"\w+", " ".join(re.findall(r" by \(([^)]*)\)", target["expr"]))))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept, panel["title"]


def test_a_resource_counts_once_while_two_operators_tell_of_it() -> None:
    for title, query in queries():
        of_resources = re.findall(
            r"(?:(max by|count by|max) \([^()]*\) \()?\bheadway_migration_(?!lock)", query
        )
        assert all(of_resources), f"{title}: {query}"


def test_each_panel_has_a_unit_and_each_number_its_own_colours() -> None:
    for panel in PANELS:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["type"] == "table" or "unit" in defaults, panel["title"]
        if panel["type"] == "stat":
            colours = [step["color"] for step in defaults["thresholds"]["steps"]]
            assert panel["title"] not in PERSON_IS_NEEDED or colours[0] == "green"
            # Without these Grafana shows everything over 80 in red.
            assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]


def test_the_columns_of_a_table_are_those_that_its_queries_give() -> None:
    for panel in PANELS:
        if panel["type"] != "table":
            continue
        labels = re.findall(r"max by \(([^)]*)\)", " ".join(one["expr"] for one in panel["targets"]))
        given = {"Time", *(f"Value #{one['refId']}" for one in panel["targets"])}
        given |= set(re.findall(r"\w+", " ".join(labels)))
        (columns,) = (one["options"] for one in panel["transformations"] if one["id"] == "organize")
        assert {*columns["renameByName"], *columns["excludeByName"]} == given, panel["title"]
        named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
        assert named <= set(columns["renameByName"].values()), panel["title"]


def test_panels_fill_their_lines_and_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    height = max(y for _, y in taken) + 1
    assert taken == {(x, y) for x in range(24) for y in range(height)}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_a_reader_chooses_data_source_namespace_and_migration() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "namespace", "migration"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    for panel in PANELS:
        for target in panel["targets"]:
            for selector in re.findall(r"headway_migration_(?!lock)\w+\{([^}]*)\}", target["expr"]):
                assert 'namespace=~"$namespace",name=~"$migration"' in selector, panel["title"]
