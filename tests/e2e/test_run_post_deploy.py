"""`headway run` before and after the deploy: no workload is asked, and a person may stop at the gate."""

from __future__ import annotations

import json

from support.command_line import Headway, resource
from support.projects import from_template

MARK = "post_deploy = True"


def write(folder, **spec):
    from_template(folder).tables("users").tables("orders", mark=MARK)
    (folder / "shop.yaml").write_text(resource({"main": {}}, **spec))
    return ["run", "-f", "shop.yaml", "--url", f"main=sqlite:///{folder}/shop.db"]


def test_it_stops_at_the_gate_and_the_same_without_the_option_does_the_rest(tmp_path):
    command = write(tmp_path)
    first = Headway(tmp_path, *command, "--before-deploy")
    assert first.wait() == 0, first.out + first.err
    assert "✓ shop: the application may roll out; 1 revision waits until it is" in first.out
    assert "1 of 2 revisions applied, the rest waits" in first.out
    assert "applied 1/1 users" in first.out
    assert "orders" not in first.out
    again = Headway(tmp_path, *command, "--before-deploy", "--output", "json")
    assert again.wait() == 0, again.out + again.err
    ended = json.loads(again.out.splitlines()[-1])
    assert (ended["result"], ended["reason"]) == ("Ready", "WaitingForRollout")
    rest = Headway(tmp_path, *command)
    assert rest.wait() == 0, rest.out + rest.err
    assert "1 database at the target, 1 revision applied" in rest.out


def test_everything_runs_where_no_workload_can_be_asked_and_that_is_said(tmp_path):
    command = write(tmp_path, postDeploy={"waitFor": [{"deployment": "shop"}]})
    run = Headway(tmp_path, *command)
    assert run.wait() == 0, run.out + run.err
    assert "note: spec.postDeploy.waitFor is not asked without a cluster" in run.err
    assert "1 database at the target, 2 revisions applied" in run.out


def test_a_failure_behind_the_gate_is_a_failure_of_the_command(tmp_path):
    command = write(tmp_path)
    (tmp_path / "migrations" / "versions" / "orders.py").write_text(
        'revision = "orders"\ndown_revision = "users"\npost_deploy = True\n\n\n'
        "def upgrade():\n    raise ValueError('no')\n"
    )
    run = Headway(tmp_path, *command)
    assert run.wait() == 1
    assert "✗ shop: failed" in run.out
    assert "main (RevisionFailed): Revision orders failed: ValueError: no" in run.out
