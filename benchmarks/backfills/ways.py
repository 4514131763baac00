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
from support.projects import from_template

GUIDE, SINGLE, KEYSET, HEADWAY, GENTLE = "guide's loop", "single UPDATE", "keyset 1,000", "headway", "gentle"
SESSIONS = "4 sessions"
HERE = Path(__file__).parent
LOOP = """
import sys
sys.path.insert(0, {folder!r})
import loops
with op.get_context().autocommit_block():
    loops.run({word!r})
"""
"""In a session of its own, Alembic's in no transaction: nothing keeps the server from cleaning up behind it."""
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
    found = {}
    for name, word in ((GUIDE, "guide"), (SINGLE, "single"), (KEYSET, "keyset")):
        found[name] = _revision(name, folder / word, LOOP.format(folder=str(HERE), word=word))
    for name, paced, more in ((HEADWAY, "", ""), (GENTLE, PACED, ""), (SESSIONS, "", ", workers=4")):
        found[name] = _revision(name, folder / name, _call(more), paced)
    return found


def watched(folder: Path) -> Way:
    """Ours, which a query holds while the table `jobs` has a row."""
    more = ', signals={"jobs": "SELECT count(*) FROM jobs"}'
    return _revision("watched", folder / "watched", _call(more))


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


def _call(more: str) -> str:
    call = f'backfill("{TABLE}", {{"status": "{VALUE}"}}, where="status IS NULL"{more})'
    return f"from headway import backfill\n{call}"


def _revision(name: str, folder: Path, body: str, paced: str = "") -> Way:
    """A real one in a project of Alembic's own template, under plain Alembic; the URL comes from the environment."""
    project = from_template(folder)
    project.revision("a1", body)
    env = project.env.read_text()
    url = (
        "import os\n"
        "config.set_main_option('sqlalchemy.url', "
        "os.environ['HEADWAY_BENCH_DSN'].replace('postgresql://', 'postgresql+psycopg://').replace('%', '%%'))\n"
    )
    anchor = "config = context.config\n"
    assert anchor in env
    project.write_env(env.replace(anchor, anchor + url + paced, 1))
    return Way(name, [sys.executable, "-m", "alembic", "upgrade", "head"], project.folder)
