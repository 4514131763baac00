"""The fixture `stage_of`: the scenes of the proofs of a backfill."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.kills.judged import Engine
from support.kills.scenes import BY_NAME
from support.kills.story import Stage
from support.postgres import PostgresServer

StageOf = Callable[[str, Engine], Stage]


@pytest.fixture
def stage_of(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[StageOf]:
    """A factory `stage_of("keyset-uuid", HEADWAY)`; its databases are dropped after the test."""
    made: list[Stage] = []

    def make(scene: str, engine: Engine) -> Stage:
        made.append(Stage(postgres_server, BY_NAME[scene], engine, tmp_path / f"{scene}-{len(made)}"))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config) -> int:
    """Over all scenes together."""
    return int(pytestconfig.getoption("--kills"))


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> str:
    """Of the moments of this test; a test that fails shows it."""
    found = pytestconfig.getoption("--kills-seed") or secrets.token_hex(4)
    print(f"repeat with --kills-seed={found}")
    return str(found)
