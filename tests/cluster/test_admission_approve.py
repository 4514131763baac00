"""The sample policy that ties an approval to an RBAC verb, on the real API server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.apiclient import ApiClient, ApiError
from support.controlplane import ControlPlane
from support.resources import Resources
from support.waiting import wait_until

SAMPLE = Path(__file__).parents[2] / "contrib" / "admission" / "approve.yaml"
PLACES = {
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
}
APPROVE, BY = "headway.dev/approve", "headway.dev/approved-by"
MakeUser = Callable[[str, list[dict[str, Any]]], ApiClient]


@pytest.fixture
def sample(own_control_plane: ControlPlane) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The policy is in force; the rules of its roles, by name."""
    documents = list(yaml.safe_load_all(SAMPLE.read_text()))
    client = own_control_plane.client
    for one in documents:
        client.apply(f"{PLACES[one['kind']]}/{one['metadata']['name']}", one)
    yield {one["metadata"]["name"]: one["rules"] for one in documents if one["kind"] == "ClusterRole"}
    for one in documents:
        client.delete(f"{PLACES[one['kind']]}/{one['metadata']['name']}")


@pytest.fixture
def user(own_control_plane: ControlPlane) -> Iterator[MakeUser]:
    """Makes a user with these rules."""
    made: list[ApiClient] = []

    def make(name: str, rules: list[dict[str, Any]]) -> ApiClient:
        made.append(ApiClient.from_kubeconfig(own_control_plane.kubeconfig_for(name, rules)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def resource(shop: Resources) -> str:
    """The path of a resource that needs an approval."""
    shop.create("shop", {"main": "postgresql://localhost/none"}, plan={"approval": "Required"})
    return f"{shop.migrations}/shop"


def refusal(user: ApiClient, path: str, body: Any) -> str:
    """Why the API server does not take it; '' when it does."""
    try:
        user.patch(path, body)
    except ApiError as error:
        return f"{error.status} {error.message}"
    return ""


def annotations(**values: str | None) -> dict[str, Any]:
    names = {"approve": APPROVE, "by": BY, "paused": "headway.dev/paused"}
    return {"metadata": {"annotations": {names[name]: value for name, value in values.items()}}}


def test_who_has_the_verb_approves_and_who_may_only_edit_does_not(
    user: MakeUser,
    sample: dict[str, list[dict[str, Any]]],
    shop: Resources,
    resource: str,
) -> None:
    alice, bob = user("alice", sample["headway-approver"]), user("bob", sample["headway-steerer"])
    number = iter(range(1000))

    def is_in_force() -> bool:
        words = refusal(bob, resource, annotations(approve=f"sha256:{next(number)}"))
        return "may not approve plans" in words

    wait_until(is_in_force, what="the policy to be in force")
    denied = refusal(bob, resource, annotations(approve="sha256:abc"))
    assert denied.startswith("403")
    assert "user bob may not approve plans" in denied
    assert f"in namespace {shop.namespace}" in denied
    assert refusal(bob, resource, annotations(paused="1")) == "", "he may steer"
    assert refusal(alice, resource, annotations(approve="sha256:abc", by="alice")) == ""

    assert "headway.dev/approved-by names whoever approves: set it to alice" in refusal(
        alice, resource, annotations(approve="sha256:def", by="bob")
    )
    assert "set it to alice" in refusal(alice, resource, annotations(by="bob"))
    assert "may not do away with the approval" in refusal(
        bob, resource, {"spec": {"plan": {"approval": None}}}
    )
    assert refusal(bob, resource, annotations(paused=None)) == "", "what is approved stays so"
    assert shop.get("shop")["metadata"]["annotations"] == {APPROVE: "sha256:abc", BY: "alice"}
    assert refusal(bob, resource, annotations(approve=None, by=None)) == "", "he may take it back"
    assert refusal(alice, resource, {"spec": {"plan": {"approval": "Automatic"}}}) == ""


def test_no_approval_comes_in_with_a_new_resource(
    user: MakeUser, sample: dict[str, list[dict[str, Any]]], shop: Resources
) -> None:
    rules = [{**sample["headway-steerer"][0], "verbs": ["create", "patch", "get"]}]
    author = user("author", rules)
    number = iter(range(1000))

    def refused() -> str:
        name = f"shop-{next(number)}"
        body = {
            "apiVersion": "headway.dev/v1alpha1",
            "kind": "DatabaseMigration",
            "metadata": {"name": name, "annotations": {APPROVE: "sha256:abc"}},
            "spec": {"image": "shop:1", "databases": [{"name": "main"}], "plan": {"approval": "Required"}},
        }
        try:
            author.post(shop.migrations, body)
        except ApiError as error:
            return error.message
        return ""

    words = "user author may not approve plans"
    wait_until(lambda: words in refused(), what="the policy to be in force")
