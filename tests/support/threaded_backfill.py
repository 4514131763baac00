"""A backfill of the table users in a thread of its own, which is looked at and steered while it works."""

from __future__ import annotations

import threading

from headway import backfill
from support.postgres import Database
from support.revisions import StoppedByTest, Told, run

LOWER = {"email_lc": "lower(email)"}
DONE = "SELECT rows_done FROM headway_backfill"


class Backfill:
    """Can be stopped, and its last words can be waited for."""

    def __init__(
        self, database: Database, driver: str = "psycopg", told: Told | None = None, **named: object
    ) -> None:
        self.told = told or Told()
        self.database = database
        self.error: BaseException | None = None
        self._work = lambda: backfill("users", LOWER, "email_lc IS NULL", **named)
        self._url = database.url(driver)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            run(self._url, self._work, self.told)
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            self.error = error

    def progress(self) -> dict:
        found = [facts for kind, facts in self.told.facts if kind == "BackfillProgressed"]
        return found[-1] if found else {"throttled_by": "", "rows_done": 0}

    def has_begun(self) -> bool:
        return any(kind == "BackfillStarted" for kind, _ in self.told.facts)

    def rows_done(self) -> int:
        """As the server has it."""
        if not self.database.scalar("SELECT to_regclass('headway_backfill')"):
            return 0
        return int(self.database.scalar(DONE) or 0)

    def is_held(self, words: str) -> bool:
        assert self._thread.is_alive(), self.error
        return words in self.progress()["throttled_by"]

    def was_held(self, words: str) -> bool:
        found = [facts for kind, facts in self.told.facts if kind == "BackfillProgressed"]
        return any(words in facts["throttled_by"] for facts in found)

    def finish(self) -> dict:
        self._thread.join(120)
        assert self.error is None, self.error
        return next(facts for kind, facts in self.told.facts if kind == "BackfillFinished")

    def stop(self) -> None:
        self.told.wished = {**self.told.wished, "stop": True}
        self._thread.join(60)
        assert self.error is None or isinstance(self.error, StoppedByTest), self.error
