"""Hooks of the real operator on the real API server, with a receiver on a real socket; the operator is killed.

`HEADWAY_HOOK_RUNS` is how many runs have an operator that dies at random (3); `HEADWAY_SEED` tells again what chance
decided.
"""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from support.ear import MAY_BE_CALLED, Ear, Heard, an_ear
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until

RUNS = int(os.environ.get("HEADWAY_HOOK_RUNS", "3"))
AT_ONCE = 10
TABLES = ("users", "orders", "invoices")
OTHER_SECRET, RECEIVERS_SECRET = (
    f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"r")
)
NOT_TAKEN = (
    "endpoint chat answered 401, it does not know who is calling: compare the secrets, the key and the headers that "
    "are set up for it with those that it expects"
)
POINTS = [
    "BeforeMigration", "BeforeDatabase", "BeforeRevision", "AfterRevision", "AfterDatabase", "OnReady",
    "AfterMigration", "OnFailure",
]  # fmt: skip
WHOLE_WAY = [
    "BeforeMigration",
    "BeforeDatabase main",
    *(f"{point} main {table}" for table in TABLES for point in ("BeforeRevision", "AfterRevision")),
    "AfterDatabase main",
    "OnReady",
    "AfterMigration",
]


@pytest.fixture
def ear() -> Iterator[tuple[Ear, str]]:
    with an_ear() as made:
        yield made


@pytest.fixture
def operator(shop: Resources, operator_kubeconfig: Path, tmp_path: Path) -> Iterator[OperatorProcess]:
    """One that may call the receiver."""
    made = OperatorProcess(operator_kubeconfig, tmp_path / "operator.log", shop.namespace, MAY_BE_CALLED)
    yield made.start()
    made.stop()
    print(made.text())


def listener(url: str, name: str) -> dict[str, object]:
    return {"name": "chat", "type": "Notify", "points": POINTS, "url": url + name, "retries": 10}


def is_all_told(shop: Resources, name: str) -> bool:
    status = shop.get(name)["status"]
    ended = (status.get("run") or {}).get("completionTime") and not status["run"].get("unsent")
    return bool(ended) and not [one for one in status["hooks"] if one["result"] in ("Pending", "Waiting")]


def test_a_gate_holds_the_run_and_a_check_each_revision_until_they_agree(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, ear: tuple[Ear, str]
) -> None:
    heard_by, url = ear
    project.tables("users", "orders")
    answers = {"/window": 403, "/board": 403}
    heard_by.answer = lambda heard: answers.get(heard.path, 204)
    window = {"name": "window", "type": "Gate", "points": ["BeforeMigration"], "url": f"{url}window"}
    board = {"name": "board", "type": "Gate", "points": ["BeforeRevision"], "url": f"{url}board"}
    shop.create("shop", {"main": database.url()}, hooks=[window, board, listener(url, "")])
    waiting = shop.wait_for_condition("shop", "Reconciling", "True", "WaitingForHook")
    assert "hook window (BeforeMigration)" in waiting["message"]
    assert shop.jobs() == []
    answers["/window"] = 204
    wait_until(
        lambda: "before revision users" in shop.condition("shop", "Reconciling").get("message", ""),
        what="the revision to be asked for",
    )
    assert "users" not in database.tables()
    answers["/board"] = 204
    shop.wait_for_condition("shop", "Ready")
    assert heard_by.told("/board") == ["BeforeRevision main users", "BeforeRevision main orders"]
    wait_until(lambda: is_all_told(shop, "shop"), what="all messages")
    assert heard_by.told()[-2:] == ["OnReady", "AfterMigration"]


def test_a_revision_that_is_refused_does_not_run(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, ear: tuple[Ear, str]
) -> None:
    heard_by, url = ear
    project.tables("users", "orders")
    heard_by.answer = lambda heard: 409 if heard.data.get("revision") == "orders" else 204
    board = {"name": "board", "type": "Check", "points": ["BeforeRevision"], "url": f"{url}board"}
    shop.create("shop", {"main": database.url()}, hooks=[board])
    stalled = shop.wait_for_condition("shop", "Stalled", "True", "HookRefused")
    assert "Hook board at BeforeRevision of revision orders" in stalled["message"]
    assert database.tables() == {"alembic_version", "users"}
    shop.wait_for_event("HookFailed")


def test_a_receiver_that_does_not_take_the_signature_ends_who_asks_and_is_told_of_where_one_only_listens(
    shop: Resources,
    project: Project,
    database: Database,
    ear: tuple[Ear, str],
    tmp_path: Path,
    operator_kubeconfig: Path,
) -> None:
    """The secret that the administrator has set up is a good one, but another than the receiver's."""
    heard_by, url = ear
    heard_by.answer = lambda heard: 204 if _is_signed_with(RECEIVERS_SECRET, heard) else 401
    endpoints = tmp_path / "endpoints.yaml"
    chat = {"name": "chat", "url": f"{url}hidden-path", "secrets": [OTHER_SECRET]}
    endpoints.write_text(json.dumps({"endpoints": [chat]}))
    settings = {**MAY_BE_CALLED, "HEADWAY_HOOKS_ENDPOINTS_FILE": str(endpoints)}
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "signing.log", shop.namespace, settings)
    project.tables("users")
    try:
        operator.start()
        for kind in ("Check", "Gate"):
            asked = {"name": "board", "type": kind, "points": ["BeforeMigration"], "endpoint": "chat"}
            shop.create(kind.lower(), {"main": database.url()}, hooks=[asked])
            refused = shop.wait_for_condition(kind.lower(), "Ready", "False", "HookRefused")
            assert f"Hook board at BeforeMigration: {NOT_TAKEN}" in refused["message"]
            assert "Find out why from whoever runs it, then retry" in refused["message"]
            assert database.tables() == set(), "nothing was begun"
        told = {"name": "chat", "type": "Notify", "points": ["OnReady"], "endpoint": "chat"}
        shop.create("notify", {"main": database.url()}, hooks=[told])
        shop.wait_for_condition("notify", "Succeeded")
        wait_until(lambda: is_all_told(shop, "notify"), what="the message to be given up")
        (entry,) = shop.get("notify")["status"]["hooks"]
        assert (entry["result"], entry["attempts"], entry["message"]) == ("Failed", 1, NOT_TAKEN)
        wait_until(lambda: shop.event_reasons().count("HookFailed") == 3, what="an event of each")

        endpoints.write_text(json.dumps({"endpoints": [{**chat, "secrets": [RECEIVERS_SECRET]}]}))
        shop.annotate("check", retry="1")
        shop.wait_for_condition("check", "Ready")
    finally:
        operator.stop()
        print(operator.text())
    shown = operator.text() + json.dumps([shop.get(name) for name in ("check", "gate", "notify")])
    assert not [one for one in (OTHER_SECRET, RECEIVERS_SECRET, "hidden-path") if one in shown]


def _is_signed_with(secret: str, heard: Heard) -> bool:
    try:
        Webhook(secret).verify(heard.body, dict(heard.headers))
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.timeout(1800 if RUNS > 20 else 240)
def test_runs_in_which_the_operator_dies_at_random_tell_each_thing_once_and_in_order(
    operator: OperatorProcess, shop: Resources, project: Project, ear: tuple[Ear, str], tmp_path: Path
) -> None:
    heard_by, url = ear
    seed = os.environ.get("HEADWAY_SEED", secrets.token_hex(4))
    print(f"HEADWAY_SEED={seed}")
    chance = random.Random(seed)
    project.tables(*TABLES)
    heard_by.answer = lambda heard: 503 if chance.random() < 0.1 else 204
    kills = 0
    for first in range(0, RUNS, AT_ONCE):
        names = [f"shop-{number}" for number in range(first, min(first + AT_ONCE, RUNS))]
        for name in names:
            board = {"name": "board", "type": "Check", "points": ["BeforeRevision", "BeforeDatabase"]}
            hooks = [listener(url, name), {**board, "url": f"{url}{name}-board", "retries": 10}]
            shop.create(name, {"main": f"sqlite:///{tmp_path}/{name}.db"}, hooks=hooks)
        enough = len(heard_by.requests)
        while not all(is_all_told(shop, name) for name in names):
            # At the moment of a message, or a little after it: between intent, call and result.
            enough += chance.randint(1, 5 * len(names))
            wait_until(
                lambda: len(heard_by.requests) >= enough or all(is_all_told(shop, name) for name in names),  # noqa: B023
                120,
                "more messages",
            )
            operator.kill()
            kills += 1
            operator.start()
        for name in names:
            assert heard_by.told(f"/{name}") == WHOLE_WAY, name
            asked = [one for one in WHOLE_WAY if one.startswith(("BeforeDatabase", "BeforeRevision"))]
            assert heard_by.told(f"/{name}-board") == asked
            assert shop.condition(name, "Ready")["status"] == "True"
    again = len(heard_by.requests) - len({heard.id for heard in heard_by.requests})
    print(f"{RUNS} runs, {kills} kills, {len(heard_by.requests)} messages, {again} of them again")
    assert kills >= RUNS / AT_ONCE
