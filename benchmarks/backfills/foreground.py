"""An application at work: reads and updates of random rows at a fixed rate, whatever becomes of them.

    python foreground.py RATE

A transaction is due at its moment even when those before it are late, and its time counts from then: what waits
behind a lock is in the figures (no coordinated omission). Says "ready" once warm; at the end of its input writes one
line of JSON, pairs of the moment (CLOCK_MONOTONIC, seconds) and the milliseconds until the COMMIT was answered.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
import time

import psycopg

CLIENTS = 12
IDENTIFIERS = 20_000
WARM_SECONDS = 1.0
TABLE = os.environ["HEADWAY_BENCH_TABLE"]


class Foreground:
    """Clients that share one timetable."""

    def __init__(self, rate: float, identifiers: list[object]) -> None:
        self.rate = rate
        self.identifiers = identifiers
        self.start = time.monotonic()
        self.numbers = itertools.count()
        self.over = threading.Event()
        self.times: list[tuple[float, float]] = []

    def work(self, seed: int) -> None:
        """One client: takes the next transaction when it has done one, and waits for it to be due."""
        chance = random.Random(seed)
        with psycopg.connect(
            os.environ["HEADWAY_BENCH_DSN"], autocommit=True, application_name="foreground"
        ) as connection:
            while not self.over.is_set():
                due = self.start + next(self.numbers) / self.rate
                if self.over.wait(max(0.0, due - time.monotonic())):
                    return
                self._transaction(connection, chance)
                self.times.append((due, (time.monotonic() - due) * 1000))

    def _transaction(self, connection: psycopg.Connection, chance: random.Random) -> None:
        one, other = chance.choice(self.identifiers), chance.choice(self.identifiers)
        with connection.transaction():
            connection.execute(f"SELECT * FROM {TABLE} WHERE id = %s", [one]).fetchone()
            connection.execute(f"UPDATE {TABLE} SET seen = seen + 1 WHERE id = %s", [other])


def main() -> None:
    """Until standard input ends."""
    with psycopg.connect(os.environ["HEADWAY_BENCH_DSN"]) as connection:
        sample = f"SELECT id FROM {TABLE} ORDER BY random() LIMIT {IDENTIFIERS}"
        identifiers = [one for (one,) in connection.execute(sample).fetchall()]
    foreground = Foreground(float(sys.argv[1]), identifiers)
    threads = [threading.Thread(target=foreground.work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    foreground.over.wait(WARM_SECONDS)
    print("ready", flush=True)
    sys.stdin.read()
    foreground.over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(foreground.times), flush=True)


if __name__ == "__main__":
    main()
