"""A kubeconfig whose user acts as somebody else: the API server sees that one, and asks for its rights."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headway_operator.cluster.access import from_kubeconfig
from headway_operator.cluster.api_server import ApiServer
from support.command_line import Headway
from support.controlplane import ControlPlane
from support.resources import Resources

ALICE = {
    "as": "carol",
    "as-uid": "42",
    "as-groups": ["dba", "shops"],
    "as-user-extra": {"example.com/team": ["a", "b"]},
}


@pytest.fixture
def as_carol(own_control_plane: ControlPlane, tmp_path: Path) -> Path:
    """The administrator's kubeconfig, acting as carol, who may do nothing."""
    config = yaml.safe_load(own_control_plane.kubeconfig.read_text())
    config["users"][0]["user"] |= ALICE
    file = tmp_path / "as-carol"
    file.write_text(yaml.safe_dump(config))
    return file


async def test_the_api_server_knows_the_user_as_the_one_it_acts_as(as_carol: Path) -> None:
    api = ApiServer(from_kubeconfig(str(as_carol)).session())
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = await api.json("POST", "apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
    finally:
        await api.close()
    seen = review["status"]["userInfo"]
    assert (seen["username"], seen["uid"]) == ("carol", "42")
    assert {"dba", "shops"} < set(seen["groups"])
    assert seen["extra"] == {"example.com/team": ["a", "b"]}


def test_a_command_is_given_with_the_rights_of_whom_the_user_acts_as(
    shop: Resources, as_carol: Path, tmp_path: Path
) -> None:
    shop.create("shop", {"main": "postgresql://localhost/none"})
    for words in (("pause", "shop", "--no-wait"), ("status", "shop"), ("plan", "shop")):
        run = Headway(tmp_path, *words, "-n", shop.namespace, "--kubeconfig", str(as_carol))
        assert run.wait() == 2, run.out + run.err
        assert 'User "carol" cannot get resource' in run.err
    assert not shop.get("shop")["metadata"].get("annotations")


def test_who_may_not_list_is_told_of_what(as_carol: Path, tmp_path: Path) -> None:
    for words, where in ((("list", "-A"), "all namespaces"), (("list", "-n", "shops"), "namespace shops")):
        run = Headway(tmp_path, *words, "--kubeconfig", str(as_carol))
        assert run.wait() == 2
        assert run.err.startswith(f"error: {where}: you may not: HTTP 403"), run.err


def test_whom_one_acts_as_may_be_said_on_the_command_line(
    shop: Resources, as_carol: Path, own_control_plane: ControlPlane, tmp_path: Path
) -> None:
    shop.create("shop", {"main": "postgresql://localhost/none"})
    for words in (("pause", "shop", "--no-wait"), ("status", "shop"), ("list",), ("plan", "shop")):
        where = ("-n", shop.namespace, "--kubeconfig", str(own_control_plane.kubeconfig))
        run = Headway(tmp_path, *words, *where, "--as", "dave")
        assert run.wait() == 2, run.out + run.err
        assert 'User "dave" cannot ' in run.err
    assert not shop.get("shop")["metadata"].get("annotations")
    masters = ("--as", "dave", "--as-group", "system:masters")
    run = Headway(tmp_path, "list", "-n", shop.namespace, "--kubeconfig", str(as_carol), *masters)
    assert run.wait() == 0, run.err
    assert "shop" in run.out, "and it goes before what the kubeconfig says"


def test_a_group_without_a_user_to_act_as_is_refused(own_control_plane: ControlPlane, tmp_path: Path) -> None:
    where = ("--kubeconfig", str(own_control_plane.kubeconfig))
    run = Headway(tmp_path, "list", *where, "--as-group", "dba")
    assert run.wait() == 2
    assert "as-groups, as-uid and as-user-extra need a user to act as" in run.err
