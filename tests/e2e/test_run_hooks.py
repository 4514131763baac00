"""`headway run` with hooks: what callbacks before and after a migration were, as calls to a receiver."""

from __future__ import annotations

import pytest

from support.command_line import Headway, resource, secret
from support.ear import an_ear
from support.projects import from_template

ALL = [
    "BeforeMigration", "BeforeDatabase", "BeforeRevision", "AfterRevision", "AfterDatabase", "OnReady",
    "AfterMigration", "OnFailure",
]  # fmt: skip


@pytest.fixture
def ear():
    with an_ear() as (ear, url):
        yield ear, url


def write_resource(folder, database, hooks):
    from_template(folder).tables("users", "orders")
    source = {"main": {"urlFrom": {"secretKeyRef": {"name": "main", "key": "uri"}}}}
    documents = [resource(source, hooks=hooks), secret("main", uri=database.url())]
    (folder / "shop.yaml").write_text("---\n".join(documents))


def test_every_point_is_told_in_order_and_revisions_wait_for_who_is_asked(tmp_path, database, ear):
    ear, url = ear
    tables_when_asked = {}

    def answer(heard):
        if heard.path == "/board" and "revision" in heard.data:
            tables_when_asked[heard.data["revision"]] = database.tables()
        return 204

    ear.answer = answer
    listener = {"name": "chat", "type": "Notify", "points": ALL, "url": url}
    asked = {"name": "board", "type": "Check", "points": ["BeforeRevision"], "url": f"{url}board"}
    write_resource(tmp_path, database, [listener, asked])
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 0, run.out + run.err
    assert ear.told() == [
        "BeforeMigration", "BeforeDatabase main", "BeforeRevision main users", "AfterRevision main users",
        "BeforeRevision main orders", "AfterRevision main orders", "AfterDatabase main", "OnReady",
        "AfterMigration",
    ]  # fmt: skip
    assert ear.told("/board") == ["BeforeRevision main users", "BeforeRevision main orders"]
    assert "users" not in tables_when_asked["users"]
    assert "orders" not in tables_when_asked["orders"]
    assert "hook board (BeforeRevision users) delivered" in run.out


def test_a_revision_is_asked_for_soon_when_nothing_else_is_told(tmp_path, database, ear):
    ear, url = ear
    asked = {"name": "board", "type": "Check", "points": ["BeforeRevision"], "url": f"{url}board"}
    write_resource(tmp_path, database, [asked])
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    run.wait_for("hook board (BeforeRevision users) delivered", 45)
    assert run.wait() == 0, run.out + run.err


def test_a_check_that_says_no_ends_the_run_with_what_to_do(tmp_path, database, ear):
    ear, url = ear
    ear.answer = lambda heard: 403 if heard.path == "/board" else 204
    asked = {"name": "board", "type": "Check", "points": ["BeforeDatabase"], "url": f"{url}board"}
    listener = {"name": "chat", "type": "Notify", "points": ["OnFailure"], "url": url}
    write_resource(tmp_path, database, [asked, listener])
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 1
    assert "Hook board at BeforeDatabase" in run.out + run.err
    assert "users" not in database.tables()
    assert ear.told() == ["OnFailure"]


def test_a_named_endpoint_is_refused_before_anything_starts(tmp_path, database):
    write_resource(
        tmp_path,
        database,
        [{"name": "board", "type": "Check", "points": ["BeforeDatabase"], "endpoint": "change-board"}],
    )
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 2
    assert "change-board is set up in a cluster" in run.err


FILL = """
from headway import backfill
backfill("users", {"status": "pg_sleep(0.001)::text || 'new'"}, where="status IS NULL")
"""
"""Each row takes a millisecond, so that there is time to ask."""


def test_a_throttle_holds_the_backfill_until_it_agrees(tmp_path, database, ear):
    ear, url = ear
    asked = []
    ear.answer = lambda heard: asked.append(heard.data) or (403 if len(asked) == 1 else 204)
    database.execute("CREATE TABLE users (id int PRIMARY KEY, status text)")
    database.execute("INSERT INTO users SELECT n, NULL FROM generate_series(1, 5000) AS n; ANALYZE users")
    from_template(tmp_path).revision("fill", FILL)
    load = {"name": "load", "type": "Throttle", "points": ["DuringBackfill"], "url": f"{url}load"}
    source = {"main": {"urlFrom": {"secretKeyRef": {"name": "main", "key": "uri"}}}}
    documents = [
        resource(source, hooks=[load], backfill={"pace": "Gentle"}),
        secret("main", uri=database.url()),
    ]
    (tmp_path / "shop.yaml").write_text("---\n".join(documents))
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 0, run.out + run.err
    said = [line for line in run.out.splitlines() if "hook load (DuringBackfill) " in line]
    assert ["waiting: 127.0.0.2 answered 403" in said[0], said[1].endswith("delivered")] == [True, True]
    assert ", held for " in run.out
    assert database.scalar("SELECT count(*) FROM users WHERE status IS NULL") == 0
    assert len(asked) > 1
    assert asked[0]["backfill"]["table"] == "users"
