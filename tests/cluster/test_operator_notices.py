"""What a run notices is seen by who looks at the resource: events, in `kubectl describe` and `headway status`.

What comes by the log is advisory: a later revision holds the run until it was heard.
"""

from __future__ import annotations

from pathlib import Path

from support.command_line import Headway
from support.controlplane import Cluster
from support.gates import Gate
from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until

OWN_CONNECTION = """
op.execute("CREATE TABLE kept ()")
with op.get_bind().engine.connect() as other:
    other.execute(sa.text("SELECT count(*) FROM pg_class"))
    other.execute(sa.text("CREATE TABLE lost (id int)"))
"""
LEFT = "main: The index public.users_name is INVALID: an interrupted build left it, and no query uses it."
UNDONE = "main: Revision a1 (revision a1) rolled back on a connection of its own: CREATE TABLE lost"


def leave_invalid_index(database: Database) -> None:
    database.execute("CREATE TABLE users (name text)")
    database.execute("CREATE INDEX users_name ON users (name)")
    database.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_name'::regclass")


def notes(shop: Resources) -> list[tuple[str, str]]:
    return [(one["type"], one["note"]) for one in shop.events("Notice")]


def test_an_index_left_invalid_and_a_revision_that_loses_its_work_are_warnings_of_the_resource(
    operator: OperatorProcess,
    shop: Resources,
    project: Project,
    database: Database,
    control_plane: Cluster,
    tmp_path: Path,
) -> None:
    leave_invalid_index(database)
    gate = Gate(tmp_path, "later").add_to(project.revision("a1", OWN_CONNECTION))
    shop.create("shop", {"main": database.url()})
    for text in (LEFT, UNDONE):
        wait_until(lambda: [one for one in notes(shop) if one[1].startswith(text)], what=text)  # noqa: B023
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert {kind for kind, _ in notes(shop)} == {"Warning"}
    assert len([note for _, note in notes(shop) if note.startswith(LEFT)]) == 1, (
        "plan and run tell it by one event"
    )
    described = control_plane.kubectl("describe", "dbmig", "shop", "-n", shop.namespace).stdout
    assert "Warning  Notice " in described
    assert UNDONE in described
    look = ("status", "shop", "-n", shop.namespace, "--kubeconfig", str(control_plane.kubeconfig))
    run = Headway(tmp_path, *look, environment={"KUBECONFIG": ""})
    assert run.wait() == 0, run.err
    assert "Notice: main: " in run.out
    assert "Notice" not in str(shop.get("shop")["status"]), "the status has no room for it"


def test_a_notice_holds_no_password(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, tmp_path: Path
) -> None:
    password = database.url().split("@")[0].rsplit(":", 1)[1]
    body = OWN_CONNECTION.replace(
        "CREATE TABLE lost (id int)", f"CREATE TABLE lost (id text DEFAULT '{password}')"
    )
    gate = Gate(tmp_path, "later").add_to(project.revision("a1", body))
    shop.create("shop", {"main": database.url()})
    assert shop.wait_for_event("Notice")["note"].startswith(UNDONE)
    gate.open()
    shop.wait_for_condition("shop", "Ready")
    assert password not in str(notes(shop))
