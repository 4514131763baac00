"""Fixtures of `make e2e`: `node_place` and the `installed` release, one per session; a `team` per test; a shop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from support.fix_chart import CHART, NAMESPACE, Helm
from support.node.place import Place
from support.node.place import place as a_place
from support.node.release import Release
from support.node.team import SHOP, Team
from support.postgres import Database

USERS = 2_000_000


@pytest.fixture(scope="session")
def node_place() -> Iterator[Place]:
    """A cluster with a node; an own one takes about ten seconds."""
    with a_place() as found:
        yield found


@pytest.fixture(scope="session")
def installed(node_place: Place, helm: Helm) -> Iterator[Release]:
    """The chart, installed by helm into a namespace that takes restricted pods only, with both replicas ready."""
    release = Release(node_place.cluster, helm, CHART, NAMESPACE)
    release.install(node_place.operator_image)
    yield release
    release.uninstall()


@pytest.fixture
def team(node_place: Place, installed: Release, request: pytest.FixtureRequest) -> Iterator[Team]:
    """A namespace as an application's team has it, restricted, with an operator that watches it."""
    arrived = Team.arrive(node_place, request.node.name)
    yield arrived
    # A node of our own goes as a whole.
    if node_place.node is None:
        arrived.leave()


@pytest.fixture(scope="session")
def old_shop(node_place: Place) -> Database:
    """The main database of the shop after years: two million users, and a status that none of them has yet."""
    database = node_place.postgres.make_database("old_shop")
    alembic = ("-m", "alembic", "-n", "main", "upgrade")
    for command in (
        (*alembic, "create_shop"),
        ("seed.py", "--users", str(USERS)),
        (*alembic, "add_user_status"),
    ):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=SHOP,
            env={**os.environ, "DATABASE_URL": database.url()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return database


@pytest.fixture
def shop_of_years(node_place: Place, old_shop: Database) -> Iterator[Database]:
    """A copy of it for one test."""
    copied = node_place.postgres.make_database("shop_of_years", template=old_shop)
    yield copied
    node_place.postgres.drop(copied)
