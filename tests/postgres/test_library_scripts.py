"""The form under `--sql`: applied to the same database it leaves the same catalog."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import headway
from support.catalog import catalog
from support.revisions import run
from support.scripts import apply, script_of, statements_of

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE users (id int PRIMARY KEY, email text);
CREATE TABLE shop.orders (id int PRIMARY KEY, user_id int, "To%tal: x" int);
INSERT INTO users SELECT i, 'u' || i FROM generate_series(1, 50) i;
INSERT INTO shop.orders SELECT i, i, i FROM generate_series(1, 50) i
"""
OPERATIONS = {
    "create index": lambda: headway.create_index_concurrently(
        "i; %: x", "orders", [sa.text("lower(id::text)")], schema="shop", unique=True, where="id <> 7 % 3"
    ),
    "not null": lambda: headway.set_not_null_online("orders", "To%tal: x", schema="shop"),
    "check": lambda: headway.add_check_online("c", "orders", "id::text <> ';'", schema="shop"),
    "foreign key": lambda: headway.add_foreign_key_online(
        "fk", "orders", "users", ["user_id"], ["id"], source_schema="shop", ondelete="SET NULL"
    ),
}
UNDO = {
    "create index": lambda: headway.drop_index_concurrently("i; %: x", "orders", schema="shop"),
    "not null": lambda: headway.drop_not_null_online("orders", "To%tal: x", schema="shop"),
    "check": lambda: headway.drop_constraint_online("c", "orders", schema="shop"),
    "foreign key": lambda: headway.drop_constraint_online("fk", "orders", schema="shop"),
}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_script_leaves_what_the_operation_leaves_and_its_undo_brings_the_catalog_back(make_database, kind):
    online, offline = make_database(), make_database()
    online.execute(SCHEMA)
    offline.execute(SCHEMA)
    before = catalog(offline)
    run(online.url(), OPERATIONS[kind])
    apply(offline, script_of(OPERATIONS[kind]))
    assert catalog(offline) == catalog(online) != before
    apply(offline, script_of(UNDO[kind]))
    assert catalog(offline) == before


@pytest.mark.parametrize("kind", ["not null", "check", "foreign key"])
def test_each_step_is_a_transaction_of_its_own_with_a_time_out_for_its_locks(kind):
    statements = statements_of(script_of(OPERATIONS[kind]))
    # The first pair is Alembic's own, which the operation leaves.
    assert statements[:2] == ["BEGIN", "COMMIT"]
    altered = [number for number, one in enumerate(statements) if one.startswith("ALTER TABLE")]
    for number in altered:
        before = statements[number - 1]
        assert before in ("SET LOCAL lock_timeout = '2s'", "SET LOCAL statement_timeout = 0")
        assert statements[number + 1] == "COMMIT"


def test_what_is_different_online_is_said_in_the_script():
    script = script_of(OPERATIONS["create index"])
    assert '-- DROP INDEX CONCURRENTLY IF EXISTS shop."i; %: x";' in script
    assert "-- Online, an INVALID index" in script
    assert "-- Online, a step that does not get its lock in time is tried again" in script_of(
        OPERATIONS["check"]
    )
