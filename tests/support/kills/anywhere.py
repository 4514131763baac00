"""`n = n + 1` on any database: `alembic upgrade head` as a process that is killed, again and again, until one is not.

The scenes with writers are PostgreSQL's. Here nobody else is at work, and every row has to be changed exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from support.kills.child import SECONDS, Child
from support.kills.victim import (
    AFTER_COMMIT,
    AFTER_STATEMENT,
    BEFORE_COMMIT,
    COMMIT_SENT,
    STATEMENT_SENT,
    Moment,
    upgrade,
)
from support.projects import from_template

KINDS = (STATEMENT_SENT, AFTER_STATEMENT, BEFORE_COMMIT, COMMIT_SENT, AFTER_COMMIT)
NUMBERS = (1, 2, 5)
"""Of the batch, counted in each process anew."""
ROWS = 3000
TABLE = "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)"
CALL = "from headway import backfill\nbackfill('items', {'n': 'n + 1'}, batch_rows=20)"
DONE = "SELECT sum(n) FROM items"
WRONG = "SELECT count(*) FROM items WHERE n <> 1"
CHECKPOINT = "SELECT rows_done, is_complete FROM headway_backfill"


@dataclass
class Killed:
    """The project of one database."""

    folder: Path
    url: str
    log: Path = field(init=False)
    config: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "log"
        self.config = (
            from_template(self.folder / "project").revision("a1", CALL).configured(self.url, "killed")
        )

    def start(self, moment: Moment | None = None) -> Child:
        """One process; at `moment` it waits, or goes on where the kill has to race with the server."""
        return Child.start(upgrade, self.log, self.config, self.log, moment)

    def kill_at(self, moments: Iterable[Moment]) -> None:
        """One process after the other; each goes on where the last one was killed."""
        for moment in moments:
            run = self.start(moment)
            run.listen(SECONDS)
            assert run.is_there or run.end() == 0, run.words()
            run.kill()
            if run.process.exitcode == 0:
                # It won the race, to its very end.
                return

    def end(self) -> None:
        """One that nobody kills."""
        last = self.start()
        assert last.end() == 0, last.words()
