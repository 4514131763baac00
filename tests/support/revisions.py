"""Revisions of the users' library without a project: an operation is called as inside `upgrade()`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from headway.link import ATTRIBUTE, Plain


class StoppedByTest(Exception):
    """What `Told.stop` raises."""


@dataclass
class Told:
    """A link that remembers what it was told; `wished` is read at every look."""

    facts: list[tuple[str, dict[str, Plain]]] = field(default_factory=list)
    wished: dict[str, object] = field(default_factory=dict)
    on_report: Callable[[str, Mapping[str, Plain]], None] = lambda kind, facts: None

    def report(self, kind: str, facts: Mapping[str, Plain]) -> None:
        """Remember it."""
        self.facts.append((kind, dict(facts)))
        self.on_report(kind, facts)

    def wishes(self) -> Mapping[str, object]:
        """As the test has set them."""
        return self.wished

    def stop(self, sentence: str) -> NoReturn:
        """Raises `StoppedByTest`."""
        raise StoppedByTest(sentence)

    def notices(self) -> list[str]:
        """The messages of what was noticed."""
        return [str(facts["message"]) for kind, facts in self.facts if kind == "Noticed"]


def config_with(link: Told | None) -> Config:
    """As whoever drives Alembic hands a link over."""
    config = Config()
    if link is not None:
        config.attributes[ATTRIBUTE] = link
    return config


@contextlib.contextmanager
def revision_on(connection: sa.Connection, link: Told | None = None, **options: Any) -> Iterator[Operations]:
    """The body of an `upgrade()` on this connection, in Alembic's transaction for one revision."""
    context = MigrationContext.configure(
        connection,
        environment_context=EnvironmentContext(config_with(link), cast(ScriptDirectory, None)),
        opts={"transaction_per_migration": True, **options},
    )
    with context.begin_transaction(_per_migration=True), Operations.context(context) as operations:
        yield operations


@contextlib.contextmanager
def revision(url: str, link: Told | None = None, **options: Any) -> Iterator[Operations]:
    """The same on an engine of its own, which is disposed of at the end."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection, revision_on(connection, link, **options) as operations:
            yield operations
    finally:
        engine.dispose()


def run(url: str, work: Callable[[], object], link: Told | None = None, **options: Any) -> None:
    """Call `work` as the body of a revision, with the driver of the URL, an asynchronous one too."""
    if "asyncpg" not in url:
        with revision(url, link, **options):
            work()
        return

    def synchronous(connection: sa.Connection) -> None:
        with revision_on(connection, link, **options):
            work()

    async def asynchronous() -> None:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(synchronous)
        finally:
            await engine.dispose()

    asyncio.run(asynchronous())
