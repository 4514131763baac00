"""An application at work on the table of a scene: a process that inserts, updates, deletes and moves rows.

It never stops by itself: it is killed, as everything here. What it does not expect it tells and ends.
"""

from __future__ import annotations

import random
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg

from support.kills.children import redirect
from support.kills.scenes import TARGET, Key, Scene

PAUSE_SECONDS = 0.001
"""Between two transactions: the machine is to be shared, not filled."""
EXPECTED = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,
    psycopg.errors.LockNotAvailable,
)
"""What happens to every application: it tries something else."""


def write(address: str, scene: Scene, seed: int, log: Path, told: Connection) -> None:
    """Runs in a process of its own; sends one message after its first commit."""
    redirect(log)
    chance = random.Random(seed)
    actions = tuple(_actions(scene).values())
    pause = threading.Event()
    is_told = False
    with psycopg.connect(address, autocommit=True, application_name="writer") as connection:
        while True:
            try:
                with connection.transaction():
                    for _ in range(chance.choice((1, 1, 1, 2, 3))):
                        connection.execute(chance.choice(actions).encode())
            except EXPECTED:
                continue
            if not is_told:
                told.send("at work")
                is_told = True
            pause.wait(PAUSE_SECONDS)


def _actions(scene: Scene) -> dict[str, str]:
    key = scene.key
    one = f"({key.columns}) = ({_row_near(key, scene.rows)})"
    found = {
        "bump": f"UPDATE items SET bumps = bumps + 1, balance = balance + 1000 WHERE {one}",
        "grow": f"UPDATE items SET pad = repeat('y', 60 + (random() * 200)::int) WHERE {one}",
        "delete": f"WITH gone AS (DELETE FROM items WHERE {one} RETURNING *) INSERT INTO gone SELECT * FROM gone",
        "insert as before": _insert(key, "'o'", "NULL"),
        "insert with the column": _insert(key, "'n'", TARGET.replace("source", "s")),
    }
    if scene.synchronised:
        found["change the source"] = f"UPDATE items SET source = source + 1 WHERE {one}"
    if key.moved:
        found["move"] = f"UPDATE items SET {key.moved} WHERE {one}"
    return found


def _row_near(key: Key, rows: int) -> str:
    somewhere = key.somewhere.format(rows=rows)
    columns = ", ".join(f"({one})" for one in key.columns.split(", "))
    # The place is drawn once, not for every row that is looked at.
    return f"SELECT {key.columns} FROM items WHERE ({columns}) >= (SELECT {somewhere}) ORDER BY {key.columns} LIMIT 1"


def _insert(key: Key, kind: str, target: str) -> str:
    return (
        f"INSERT INTO items ({key.columns}, source, pad, kind, phase, target) "
        f"SELECT {key.fresh}, s, repeat('z', 80), {kind}, phase, {target} "
        "FROM stage, (SELECT (random() * 1000)::int AS s) AS drawn"
    )
