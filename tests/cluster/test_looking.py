"""`headway status`, `list`, `wait`, `logs` beside a real run, with a reader's rights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command_line import Headway
from support.controlplane import ControlPlane
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources

READER = [
    {"apiGroups": ["headway.dev"], "resources": ["databasemigrations"], "verbs": ["get", "list"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
EVENTS = [{"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["list"]}]


class Looking:
    """Somebody who may only read, in a pipe."""

    def __init__(self, kubeconfig: Path, namespace: str, folder: Path) -> None:
        self._options = ("-n", namespace, "--kubeconfig", str(kubeconfig))
        self._folder = folder

    def start(self, *arguments: str) -> Headway:
        return Headway(self._folder, *arguments, *self._options, environment={"KUBECONFIG": ""})

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        run = self.start(*arguments)
        return run.wait(), run.out, run.err


@pytest.fixture
def look(own_control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Looking:
    return Looking(own_control_plane.kubeconfig_for("looker", READER), namespace, tmp_path)


def test_a_run_is_seen_from_its_approval_to_its_end(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, look: Looking
) -> None:
    project.revision("a1", "op.create_table('t', sa.Column('id', sa.Integer))\nprint('from the revision')")
    assert look("list") == (0, "", "no DatabaseMigrations found\n")
    shop.create("shop", {"main": database.url()}, plan={"approval": "Required"})
    code, _, err = look("wait", "shop")
    assert code == 3
    assert "WaitingForApproval" in err or "approve" in err
    code, out, _ = look("status", "shop")
    assert code == 0
    assert "Next: headway plan shop shows it; then approve it: headway approve shop" in out
    watching = look.start("status", "shop", "--watch")
    digest = shop.get("shop")["status"]["plan"]["digest"]
    shop.annotate("shop", approve=digest)
    assert look("wait", "shop")[0] == 0
    assert watching.wait() == 0
    assert "✓ main  succeeded" in watching.out
    assert "True   Succeeded  1/1 · 100%" in look("list")[1]
    code, out, _ = look("logs", "shop", "main")
    assert "from the revision" in out
    assert "##headway" not in out
    assert "##headway" in look("logs", "shop", "--events")[1]
    assert json.loads(look("status", "shop", "-o", "json")[1])["kind"] == "DatabaseMigration"


@pytest.mark.usefixtures("operator")
def test_the_last_events_of_just_this_resource_are_shown_to_who_may_list_them(
    shop: Resources,
    project: Project,
    database: Database,
    own_control_plane: ControlPlane,
    look: Looking,
    tmp_path: Path,
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()})
    shop.create("other", {"main": f"sqlite:///{tmp_path}/other.db"})
    shop.wait_for_condition("shop", "Ready")
    shop.wait_for_condition("other", "Ready")
    may_list = own_control_plane.kubeconfig_for("listener", READER + EVENTS)
    listener = Looking(may_list, shop.namespace, tmp_path)

    def told() -> list[str]:
        code, out, _ = listener("status", "shop")
        assert code == 0
        return [line for line in out.splitlines() if line.startswith("  event ")]

    assert "ago  Succeeded: 1 database at the target" in told()[-1], "it is posted before the status says so"
    assert 2 <= len(told()) <= 5
    assert sum("Succeeded: 1 database" in line for line in told()) == 1, "the other resource has one as well"
    code, out, err = look("status", "shop")
    assert (code, err) == (0, "")
    assert "  events are not shown: you may not list events.events.k8s.io here\n" in out
    assert "✓ main  succeeded" in out


@pytest.mark.usefixtures("operator")
def test_a_failure_and_a_wait_that_is_over_have_their_codes(
    shop: Resources, project: Project, database: Database, look: Looking
) -> None:
    project.revision("a1", "op.execute('nonsense')")
    shop.create("shop", {"main": database.url()}, suspend=True)
    code, _, err = look("wait", "shop", "--timeout", "1")
    assert code == 2
    assert "gave up after 1 s" in err
    shop.change("shop", suspend=False)
    assert look("wait", "shop")[0] == 1
    code, _, err = look("logs", "shop", "nosuchdb")
    assert code == 2
    assert "error: shop: it has no database nosuchdb\n  It has main.\n" in err
    code, _, err = look("status", "nowhere")
    assert code == 2
    assert "there is no DatabaseMigration nowhere" in err


@pytest.mark.usefixtures("operator")
def test_a_failure_ends_in_the_step_that_mends_it(
    shop: Resources, project: Project, database: Database, look: Looking
) -> None:
    project.revision("broken", "op.execute('SELECT 1 FROM nowhere')")
    shop.create("shop", {"main": database.url()})
    shop.create("locked", {"main": database.url().replace("://postgres:", "://postgres:wrong-")})
    shop.wait_for_condition("shop", "Stalled", "True", "RevisionFailed")
    shop.wait_for_condition("locked", "Stalled", "True", "AuthenticationFailed")
    last = {name: look("status", name)[1].splitlines()[-1] for name in ("shop", "locked")}
    assert last == {
        "shop": "Next: Correct the revision and build a new image; revisions before it stay applied.",
        "locked": "Next: Correct the Secret, then retry: headway retry locked",
    }
