"""One table whose backfill is killed several times, goes on each time, and is looked at when it says it is done."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.kills import victim, writers
from support.kills.child import SECONDS, Child
from support.kills.judged import Engine
from support.kills.scenes import Scene
from support.kills.victim import ANY_TIME, KINDS, Moment
from support.postgres import Database, PostgresServer
from support.projects import Project, from_template
from support.waiting import wait_until

MOST_MOMENTS = 30
"""A moment is drawn among so many statements or commits; a run may have fewer, then it ends."""
OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name <> 'writer' AND backend_type = 'client backend'
"""
"""Sessions of runs."""
KILLS = 4
"""In one story, at most."""
RESUME_SECONDS = 2.0
"""From the start of the process that goes on to its first change of rows, at most."""


@dataclass
class Told:
    """What happened in a story, or in many."""

    seed: str = ""
    kills: list[Moment] = field(default_factory=list)
    ends: int = 0
    """Runs that ended before their moment came."""
    resumes: list[float] = field(default_factory=list)
    """Seconds from the start of a process after a kill to its first change of rows."""
    wrong: dict[str, int] = field(default_factory=dict)
    """What was found at the end that contradicts the claim, with the number of rows."""

    def add(self, other: Told) -> None:
        """Sum up."""
        self.kills += other.kills
        self.ends += other.ends
        self.resumes += other.resumes
        for what, number in other.wrong.items():
            self.wrong[what] = self.wrong.get(what, 0) + number

    @property
    def usual_resume(self) -> float:
        """The median of the seconds; 0 when nothing was to be gone on with."""
        return statistics.median(self.resumes) if self.resumes else 0.0

    @property
    def worst_resume(self) -> float:
        """The most of the seconds; 0 when nothing was to be gone on with."""
        return max(self.resumes, default=0.0)

    def __str__(self) -> str:
        is_late = self.worst_resume > RESUME_SECONDS
        resume = (
            f"resumed in {self.usual_resume:.2f} s (median) {self.worst_resume:.2f} s (worst, "
            f"{'MISSED: ' if is_late else ''}target {RESUME_SECONDS:g} s)"
            if self.resumes
            else "never resumed"
        )
        return f"{len(self.kills):5} kills, {resume}, wrong: {self.wrong or 'nothing'}"

    def moments(self) -> str:
        """How many kills at which moment."""
        return "\n".join(f"{sum(one.kind == kind for one in self.kills):5} {kind}" for kind in KINDS)


class Stage:
    """The template database and the project of one scene under one engine, for any number of stories."""

    def __init__(self, server: PostgresServer, scene: Scene, engine: Engine, folder: Path) -> None:
        self.server = server
        self.scene = scene
        self.engine = engine
        self.folder = folder
        self.project: Project = from_template(folder / "project")
        self.project.revision("a1", scene.revision(engine.origin))
        self.template = server.make_database("kills")
        self.template.execute(scene.statements())
        self.usual_seconds = 0.0
        self._made = [self.template]

    def close(self) -> None:
        """Drop what is left of it."""
        for database in self._made:
            self.server.drop(database)

    def make_database(self) -> Database:
        """A copy of its own."""
        database = self.server.make_database("kills", self.template)
        self._made.append(database)
        if database.scalar("SHOW is_superuser") == "on":
            # Deadlocks are wanted, and then to be found at once.
            database.execute(f"ALTER DATABASE \"{database.name}\" SET deadlock_timeout = '50ms'")
        return database

    def start(self, database: Database, moment: Moment | None = None, url: str = "") -> Child:
        """`alembic upgrade head` in a process; at `moment` it waits."""
        config = self.project.configured(url or database.url(), database.name)
        log = self.folder / f"{database.name}.log"
        return Child.start(victim.upgrade, log, config, log, moment)

    def tell(self, seed: str, kills: int) -> Told:
        """One story; raises AssertionError when a process failed, and drops the database."""
        chance = random.Random(seed)
        database = self.make_database()
        log = self.folder / re.sub(r"\W", "-", seed)
        writer = Child.start(writers.write, log, database.address, self.scene, chance.getrandbits(32), log)
        try:
            assert writer.pipe.poll(SECONDS), f"no writer came to work: {writer.words()}"
            told = self._kill_and_go_on(database, chance, kills)
            assert writer.process.is_alive(), f"the writers failed ({seed}): {writer.words()}"
        finally:
            writer.kill()
        told.seed = seed
        told.wrong = self.wrong(database, len(told.kills))
        self.server.drop(database)
        self._made.remove(database)
        return told

    def tell_many(self, seed: str, kills: int) -> Told:
        """Stories until so many processes were killed; the first is without a kill, to know how long a run takes."""
        whole = self.tell(f"{seed}/0", 0)
        number = 0
        while len(whole.kills) < kills and not whole.wrong:
            number += 1
            whole.add(self.tell(f"{seed}/{number}", min(KILLS, kills - len(whole.kills))))
        return whole

    def _kill_and_go_on(self, database: Database, chance: random.Random, kills: int) -> Told:
        told = Told()
        while True:
            moment = self._moment(chance) if len(told.kills) < kills else None
            run = self.start(database, moment)
            run.listen(moment.seconds if moment and moment.kind == ANY_TIME else SECONDS)
            is_killed = moment is not None and run.process.is_alive()
            assert is_killed or not run.process.is_alive(), f"a run takes too long: {run.words()}"
            run.kill()
            if told.kills and run.update:
                told.resumes.append(run.update - run.started)
            if not is_killed:
                assert run.process.exitcode == 0, f"a run failed ({told.kills}): {run.words()}"
                told.ends += moment is not None
                if not told.kills:
                    self.usual_seconds = time.monotonic() - run.started
                return told
            if is_stamped(database):
                # It had done all: what writers add from then on is no backfill's concern, and no run would look.
                told.ends += 1
                return told
            told.kills.append(moment)
            database.execute("UPDATE stage SET phase = phase + 1")

    def _moment(self, chance: random.Random) -> Moment:
        kind = chance.choice((ANY_TIME, chance.choice(KINDS)))
        if kind == ANY_TIME:
            return Moment(kind, seconds=chance.uniform(0.0, self.usual_seconds or 1.0))
        # Early moments more often than late ones: each run begins anew.
        return Moment(kind, 1 + int(MOST_MOMENTS * chance.random() ** 3))

    def wrong(self, database: Database, last_phase: int = 0) -> dict[str, int]:
        """What contradicts the claim, with the number of rows."""
        queries: Mapping[str, str] = self.scene.wrong_rows(last_phase)
        wrong = {
            what: int(str(database.scalar(f"SELECT count(*) FROM items WHERE {condition}")))
            for what, condition in queries.items()
        }
        ((rows, is_complete),) = database.rows(self.engine.checkpoint)
        wrong["the checkpoint is not complete"] = int(not is_complete)
        if self.engine.choice:
            chosen = database.rows(self.engine.choice)
            wrong["another way through the table was chosen"] = int(chosen != [(self.scene.way,)])
        if not self.scene.synchronised:
            changed = "balance - 1000 * bumps" if self.scene.exactly_once else "applied"
            everything = "(SELECT * FROM items UNION ALL SELECT * FROM gone) AS everything"
            seen = int(str(database.scalar(f"SELECT sum({changed}) FROM {everything}")))
            wrong["rows by which the checkpoint and the table differ"] = abs(seen - rows)
        return {what: number for what, number in wrong.items() if number}


def is_stamped(database: Database) -> bool:
    """Alembic has noted the revision as applied; a COMMIT that was on its way has come to its end."""
    wait_until(lambda: not database.scalar(OTHERS), what="the end of the killed process's session")
    there = database.scalar("SELECT to_regclass('alembic_version')")
    return bool(there and database.rows("SELECT 1 FROM alembic_version"))
