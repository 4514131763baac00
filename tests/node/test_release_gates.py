"""The Jobs of `contrib/helm` on a real node: a release waits for the migration of its database, or fails with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway_operator.settings import Settings
from support.application_chart import AT_ONCE, Application
from support.fix_chart import Helm
from support.node.place import Place
from support.node.team import PATIENCE, Team
from support.postgres import Database
from support.tree import ROOT
from support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def main(node_place: Place) -> Database:
    return node_place.postgres.make_database("main")


@pytest.fixture
def application(helm: Helm, node_place: Place, team: Team, tmp_path: Path) -> Application:
    return Application(helm, node_place.cluster.kubeconfig, team, tmp_path / "chart")


def recipe(place: Place, name: str, **words: str) -> str:
    """As it stands there, with this place's images and these words in the place of its own."""
    text = (ROOT / "contrib" / "helm" / name).read_text()
    images = {
        Settings().runner_image: place.operator_image,
        "registry.example.com/shop:2026.11.3": place.shop_image,
    }
    for before, after in (images | words).items():
        text = text.replace(before, after)
    return text


def gate_of_the_shop(place: Place, target: str) -> str:
    """Its main database has a section and a version table of its own."""
    options = f"{target}, --section, main, --version-table, alembic_version_main"
    return recipe(place, "gate-job.yaml", **{"main@head": options})


def wait_for_log(team: Team, job: str, words: str) -> None:
    """In any of its pods: one of a Job of the same name may be on its way out."""

    def told() -> bool:
        return any(words in team.log_of(pod["metadata"]["name"]) for pod in team.pods_of(job))

    wait_until(told, PATIENCE, f"{words!r} of {job}")


def test_an_upgrade_waits_at_the_gate_until_the_migration_is_there(
    node_place: Place, team: Team, main: Database, application: Application
) -> None:
    team.apply_shop({"main": main}, target="create_shop")
    application.deploy("1.0.0", gate_of_the_shop(node_place, "create_shop"))
    assert application.version() == "1.0.0"
    with ThreadPoolExecutor(1) as one:
        upgrading = one.submit(application.deploy, "2.0.0", gate_of_the_shop(node_place, "add_user_status"))
        wait_for_log(team, "shop-gate", "to come, the first is ")
        assert application.version() == "1.0.0"
        team.apply_shop({"main": main}, target="add_user_status")
        upgrading.result()
    assert application.version() == "2.0.0"


def test_an_upgrade_fails_with_its_migration_and_comes_once_that_is_mended(
    node_place: Place, team: Team, main: Database, application: Application
) -> None:
    hook = recipe(node_place, "wait-job.yaml")
    team.apply_shop({"main": main}, target="create_shop")
    application.deploy("1.0.0", hook)
    team.apply_shop({"main": main}, target="nowhere")
    with pytest.raises(AssertionError, match="pre-upgrade hooks failed: job shop-wait failed"):
        application.deploy("2.0.0", hook, AT_ONCE)
    assert application.version() == "1.0.0"
    wait_for_log(team, "shop-wait", "nowhere")
    team.apply_shop({"main": main}, target="add_user_status")
    application.deploy("2.0.0", hook)
    assert application.version() == "2.0.0"
    assert main.scalar("SELECT version_num FROM alembic_version_main") == "add_user_status"
