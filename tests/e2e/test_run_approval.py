"""A plan that needs an approval, without a cluster: shown, refused, approved by its digest."""

import json

import pytest

from support.command_line import Headway, resource
from support.projects import from_template


@pytest.fixture
def project(tmp_path):
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}, plan={"approval": "Required"}))
    return from_template(tmp_path).tables("a1", "a2")


def run(project, *arguments):
    url = f"sqlite:///{project.folder / 'main.sqlite'}"
    return Headway(project.folder, "run", "-f", "shop.yaml", "--url", f"main={url}", *arguments)


def test_a_plan_is_shown_with_its_digest_and_carried_out_once_that_is_given(project):
    asked = run(project, "--output", "json")
    assert asked.wait() == 3, asked.out + asked.err
    ended = asked.items[-1]
    assert (ended["result"], ended["reason"]) == ("NeedsApproval", "WaitingForApproval")
    digest = ended["digest"]

    url = f"main=sqlite:///{project.folder / 'main.sqlite'}"
    planned = Headway(project.folder, "plan", "./shop.yaml", "--url", url, "-o", "json")
    assert planned.wait() == 0, planned.out + planned.err
    assert json.loads(planned.out)["digest"] == digest, (
        "the plan that is looked at is the one that is approved"
    )

    shown = run(project, "--approve", "sha256:000000000000")
    assert shown.wait() == 3, shown.out + shown.err
    assert "the plan needs an approval; nothing was changed" in shown.out
    assert "main  a1" in shown.out
    assert f"Its digest is {digest}." in shown.out
    assert f"--approve {digest}" in shown.out
    assert "kubectl" not in shown.out

    short = digest.removeprefix("sha256:")
    too_short = run(project, "--approve", short[:11])
    assert too_short.wait() == 3, too_short.out + too_short.err

    done = run(project, "--approve", short[:12])
    assert done.wait() == 0, done.out + done.err
    assert "2 revisions applied" in done.out

    again = run(project)
    assert again.wait() == 0, "nothing to do needs no approval"
