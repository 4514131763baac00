"""What a cluster does to a run in its middle: pods go, operators go, releases change. The run goes on."""

from __future__ import annotations

import pytest

from support.fix_node import USERS
from support.node.place import Place
from support.node.release import Release
from support.node.team import PATIENCE, Team, a_row_held
from support.postgres import Database
from support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)


def start_filling(team: Team, database: Database) -> str:
    """Begin the backfill; the name of the pod that does it, once it has done some rows."""
    team.apply_shop({"main": database}, target="backfill_user_status")
    team.wait_until_filling()
    (pod,) = team.pods_of(team.job())
    return str(pod["metadata"]["name"])


def assert_done_in_one_attempt(team: Team, database: Database) -> None:
    """Every row is filled, and no second Job was made."""
    team.wait_until_ready()
    assert database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL") == USERS
    assert database.scalar("SELECT version_num FROM alembic_version_main") == "backfill_user_status"
    assert team.attempts("main") == ["1"]


def test_an_evicted_pod_is_followed_by_another_that_goes_on(team: Team, shop_of_years: Database) -> None:
    with a_row_held(shop_of_years):
        evicted = start_filling(team, shop_of_years)
        team.evict(evicted)

        def successor() -> bool:
            names = [pod["metadata"]["name"] for pod in team.pods_of(team.job())]
            return bool(set(names) - {evicted})

        wait_until(successor, PATIENCE, "a pod in the place of the evicted one")
    assert_done_in_one_attempt(team, shop_of_years)


def test_a_killed_leader_is_followed_by_the_other_replica(
    team: Team, installed: Release, shop_of_years: Database
) -> None:
    leader = installed.wait_for_leader_other_than("")
    with a_row_held(shop_of_years):
        pod = start_filling(team, shop_of_years)
        installed.delete_pod(leader, at_once=True)
        installed.wait_for_leader_other_than(leader)
    assert_done_in_one_attempt(team, shop_of_years)
    assert [one["metadata"]["name"] for one in team.pods_of(team.job())] == [pod]


def test_a_leader_that_is_asked_to_go_hands_over(
    team: Team, installed: Release, shop_of_years: Database
) -> None:
    leader = installed.wait_for_leader_other_than("")
    with a_row_held(shop_of_years):
        pod = start_filling(team, shop_of_years)
        installed.delete_pod(leader)
        installed.wait_for_leader_other_than(leader)
    assert_done_in_one_attempt(team, shop_of_years)
    assert [one["metadata"]["name"] for one in team.pods_of(team.job())] == [pod]


def test_an_upgrade_of_the_operator_disturbs_no_run(
    team: Team, installed: Release, shop_of_years: Database
) -> None:
    before = set(installed.pods())
    with a_row_held(shop_of_years):
        pod = start_filling(team, shop_of_years)
        installed.upgrade(**{"operator.logLevel": "DEBUG"})
        after = {name for name, one in installed.pods().items() if "deletionTimestamp" not in one["metadata"]}
        installed.wait_for_leader_other_than("")
    assert before.isdisjoint(after)
    assert_done_in_one_attempt(team, shop_of_years)
    assert [one["metadata"]["name"] for one in team.pods_of(team.job())] == [pod]


@pytest.mark.own_node
def test_a_kubelet_that_restarts_finds_the_run_going_on(
    node_place: Place, team: Team, shop_of_years: Database
) -> None:
    assert node_place.node is not None
    with a_row_held(shop_of_years):
        pod = start_filling(team, shop_of_years)
        node_place.node.kubelet.stop()
        node_place.node.kubelet.start()
        wait_until(lambda: team.log_of(pod), PATIENCE, "the restarted kubelet to give out the pod's log")
    assert_done_in_one_attempt(team, shop_of_years)
    (same,) = team.pods_of(team.job())
    assert same["metadata"]["name"] == pod
    assert same["status"]["containerStatuses"][0]["restartCount"] == 0
