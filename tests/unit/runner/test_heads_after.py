"""Where the heads of a database are once all steps are done: as the history says, in whatever order they come."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from headway_runner.project.alembic_env import heads_after, steps_to

History = list[tuple[tuple[int, ...], tuple[int, ...]]]
"""Of each revision those below it and those that it depends on, by their places in this list."""


def behind(history: History, one: int) -> set[int]:
    """All that must be applied before it."""
    parents = {parent for group in history[one] for parent in group}
    return parents.union(*(behind(history, parent) for parent in parents))


@st.composite
def histories(draw) -> History:
    """Of up to nine revisions; none comes after two of which one comes after the other."""
    history: History = []
    for place in range(draw(st.integers(1, 9))):
        chosen = draw(st.lists(st.integers(0, place - 1), max_size=3, unique=True)) if place else []
        apart = [one for one in chosen if not any(one in behind(history, other) for other in chosen)]
        count = draw(st.integers(0, len(apart)))
        history.append((tuple(apart[:count]), tuple(apart[count:])))
    return history


class Module:
    """Of a revision that does nothing."""

    def __init__(self, history: History, place: int) -> None:
        self.__doc__ = f"revision {place}"
        self.revision = f"r{place}"
        down, depends = (tuple(f"r{one}" for one in group) for group in history[place])
        self.down_revision, self.depends_on, self.branch_labels = down or None, depends or None, None

    def upgrade(self) -> None:
        """Nothing."""


def script_of(history: History, folder: str) -> ScriptDirectory:
    script = ScriptDirectory(folder)
    scripts = [Script(Module(history, place), f"r{place}", "") for place in range(len(history))]
    script.revision_map = RevisionMap(lambda: scripts)
    return script


@given(history=histories(), data=st.data())
def test_they_are_those_of_what_is_applied_that_nothing_applied_comes_after(tmp_path_factory, history, data):
    script = script_of(history, str(tmp_path_factory.getbasetemp()))
    first = data.draw(st.integers(0, len(history) - 1))
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        start = heads_after(context, (), steps_to(script, f"r{first}", ()))
        applied = {first} | behind(history, first)
        assert start == heads_of(history, applied)
        end = heads_after(context, start, steps_to(script, "heads", start))
    assert end == heads_of(history, set(range(len(history))))


def heads_of(history: History, applied: set[int]) -> tuple[str, ...]:
    covered = {below for one in applied for below in behind(history, one)}
    return tuple(sorted(f"r{one}" for one in applied - covered))
