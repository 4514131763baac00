"""The ways to fill the column, each as a command with its environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backfills.tables import TABLE, VALUE

from support.postgres import Database
from support.projects import Project, from_template

GUIDE, SINGLE, KEYSET, HEADWAY, GENTLE = "guide's loop", "single UPDATE", "keyset 1,000", "headway", "gentle"
SESSIONS = "4 sessions"
PACED = """
from headway.link import NoLink

class Paced(NoLink):
    def wishes(self):
        return {"pace": "Gentle"}

context.config.attributes["headway"] = Paced()
"""
"""For env.py: somebody wishes the pace, as the runner does."""


@dataclass(frozen=True)
class Way:
    """A command; a list of words, or a shell's line."""

    name: str
    command: Sequence[str] | str
    folder: Path | None = None

    def environment(self, database: Database) -> dict[str, str]:
        """Where the table is."""
        return {**os.environ, "HEADWAY_BENCH_DSN": database.address, "HEADWAY_BENCH_TABLE": TABLE}


def known(folder: Path) -> dict[str, Way]:
    """By name; the projects are made in `folder`."""
    loops = Path(__file__).with_name("loops.py")
    found = {
        name: Way(name, [sys.executable, str(loops), word])
        for name, word in ((GUIDE, "guide"), (SINGLE, "single"), (KEYSET, "keyset"))
    }
    for name, paced, more in ((HEADWAY, "", ""), (GENTLE, PACED, ""), (SESSIONS, "", ", workers=4")):
        project = _project(folder / name, paced, more)
        found[name] = Way(name, [sys.executable, "-m", "alembic", "upgrade", "head"], project.folder)
    return found


def watched(folder: Path) -> Way:
    """Ours, which a query holds while the table `jobs` has a row."""
    more = ', signals={"jobs": "SELECT count(*) FROM jobs"}'
    project = _project(folder / "watched", "", more)
    return Way("watched", [sys.executable, "-m", "alembic", "upgrade", "head"], project.folder)


def of_callers(commands: Sequence[str]) -> dict[str, Way]:
    """`NAME=COMMAND`, or a command that is its own name."""
    found: dict[str, Way] = {}
    for text in commands:
        named = re.match(r"([\w.-]+)=(?=\S)", text)
        name = named[1] if named else text.split()[0].rsplit("/")[-1]
        found[name] = Way(name, text[named.end() :] if named else text)
    return found


def select(all_of_them: Mapping[str, Way], names: Sequence[str]) -> list[Way]:
    """Those that are wanted, in the order in which they are known."""
    return [way for name, way in all_of_them.items() if not names or name in names]


def _project(folder: Path, paced: str, more: str) -> Project:
    """A real revision in a project of Alembic's own template; the URL comes from the environment."""
    project = from_template(folder)
    call = f'backfill("{TABLE}", {{"status": "{VALUE}"}}, where="status IS NULL"{more})'
    project.revision("a1", f"from headway import backfill\n{call}")
    env = project.env.read_text()
    url = (
        "import os\n"
        "config.set_main_option('sqlalchemy.url', "
        "os.environ['HEADWAY_BENCH_DSN'].replace('postgresql://', 'postgresql+psycopg://').replace('%', '%%'))\n"
    )
    anchor = "config = context.config\n"
    assert anchor in env
    project.write_env(env.replace(anchor, anchor + url + paced, 1))
    return project
