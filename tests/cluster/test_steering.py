"""Commands to a run in a cluster, as a person types them: obeyed, answered in status, refused in plain words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command_line import Headway
from support.controlplane import Cluster, ControlPlane
from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources

Type = Callable[..., Headway]


@pytest.fixture
def typed(shop: Resources, control_plane: Cluster, tmp_path: Path) -> Type:
    """`headway …` in the test's namespace, as its administrator unless another kubeconfig is given."""

    def start(*words: str, kubeconfig: Path = control_plane.kubeconfig) -> Headway:
        where = ("-n", shop.namespace, "--kubeconfig", str(kubeconfig))
        return Headway(tmp_path, *words, *where)

    return start


def said(command: Headway, code: int = 0) -> str:
    assert command.wait() == code, command.out + command.err
    return command.out + command.err


def test_a_plan_is_approved_held_ended_and_gone_on_with_by_typed_commands(
    operator: OperatorProcess,
    shop: Resources,
    project: Project,
    database: Database,
    tmp_path: Path,
    typed: Type,
) -> None:
    project.tables("users")
    gate = Gate(tmp_path, "orders").add_to(project)
    project.tables("invoices")
    shop.create("shop", {"main": database.url()}, plan={"approval": "Required"})
    shop.wait_for_condition("shop", "Reconciling", reason="WaitingForApproval")
    assert database.tables() == set(), "nothing is changed before the approval"

    refused = said(typed("approve", "shop"), 3)
    assert "main: 3 revisions to apply" in refused
    assert "users" in refused
    assert re.search(r"\n    orders  .*\n      ! \w+ revision_is_not_rendered.*: ", refused), refused
    assert "\n  the review has 1 finding\n" in refused
    assert "Nothing was approved: nobody can be asked, for this is no terminal. Name the digest" in refused
    assert "is not the plan that there is" in said(typed("approve", "shop", "0123456789abcdef"), 2)
    assert "is approved" in said(typed("approve", "shop", "--yes"))
    gate.wait_until_reached()
    approved = shop.condition("shop", "Approved")
    assert approved["status"] == "True"
    assert re.search(r"was approved by \S+ at 20", approved["message"])

    assert "shop: to be paused: what runs holds at its next safe point" in said(typed("pause", "shop"))
    assert shop.condition("shop", "Reconciling")["reason"] == "Paused"
    assert "shop: not paused any more, and goes on\n" in said(typed("resume", "shop"))
    assert "at the pace Fast" in said(typed("pace", "shop", "fast"))
    assert shop.get("shop")["status"]["lastHandledPace"] == "Fast"

    told = said(typed("abort", "shop"))
    assert "shop: to be aborted: what runs goes on to its next safe point" in told
    assert "\n  Aborting: the run is aborted" in told, "and the status says no other thing"
    gate.open()
    ready = shop.wait_for_condition("shop", "Ready", "False", reason="Aborted")
    assert "main: 2 of 3 revisions applied, it is at orders" in ready["message"]
    assert database.tables() == {"alembic_version", "users", "orders"}
    assert "nothing to abort" in said(typed("abort", "shop"), 2)

    assert "shop: asked for a new run, and it has begun\n" in said(typed("retry", "shop"))
    shop.wait_for_condition("shop", "Reconciling", reason="WaitingForApproval")
    waiting = shop.condition("shop", "Ready")["message"]
    assert "which is another plan" in waiting, "one revision is to be applied now, not three"
    assert "is approved" in said(typed("approve", "shop", "--yes"))
    shop.wait_for_condition("shop", "Ready")
    assert "invoices" in database.tables()


def test_what_something_else_holds_is_not_said_to_go_on(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, typed: Type
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()}, suspend=True)
    shop.wait_for_condition("shop", "Reconciling", reason="Suspended")
    said(typed("pause", "shop"))
    assert said(typed("resume", "shop")).splitlines() == [
        "shop: not paused any more, but something else holds it still",
        "  Waiting: spec.suspend is true: nothing is started until it is false",
        "  Next: Set spec.suspend to false.",
    ]


def test_a_command_that_cannot_be_given_is_refused_in_plain_words(
    shop: Resources, own_control_plane: ControlPlane, typed: Type
) -> None:
    shop.create("shop", {"main": "postgresql://localhost/none"})
    assert "there is no such DatabaseMigration" in said(typed("pause", "shops"), 2)
    rules = [{"apiGroups": ["headway.dev"], "resources": ["databasemigrations"], "verbs": ["get"]}]
    reader = own_control_plane.kubeconfig_for("getter", rules)
    told = said(typed("pause", "shop", kubeconfig=reader), 2)
    assert "you may not: HTTP 403" in told
    assert "kubectl auth can-i patch databasemigrations" in told
    assert "no kubeconfig that can be used" in said(typed("pause", "shop", "--context", "elsewhere"), 2)
    assert not shop.get("shop")["metadata"].get("annotations")


def test_a_command_is_written_also_while_no_operator_runs(shop: Resources, typed: Type) -> None:
    shop.create("shop", {"main": "postgresql://localhost/none"})
    told = said(typed("pause", "shop", "--timeout", "0"), 1)
    assert "no operator has answered it within 0 s" in told
    assert "the operator has not answered yet" in said(typed("pause", "shop", "--no-wait"))
    assert shop.get("shop")["metadata"]["annotations"]["headway.dev/paused"]
