"""`headway run` with an application's own command: the Flask example, from nothing to head."""

import shutil
from pathlib import Path

from support.command_line import Headway
from support.commands import variables

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask"


def test_the_flask_example_goes_to_head_and_only_once(tmp_path, database):
    project = tmp_path / "flask"
    shutil.copytree(EXAMPLE, project)
    words = ("run", "-f", "migration.yaml", "--project", ".", "--url", "main=env:MAIN_URL")
    environment = variables(MAIN_URL=database.url())
    run = Headway(project, *words, environment=environment)
    assert run.wait() == 0, run.out + run.err
    assert "plan: 2 revisions to apply in 1 database" in run.out
    assert "main: applied 1/2 create_users" in run.out
    assert "now at add_user_email" in run.out
    assert {"user", "alembic_version"} == database.tables()
    again = Headway(project, *words, environment=environment)
    assert again.wait() == 0, again.out + again.err
    assert "plan: 0 revisions to apply" in again.out


def test_a_target_beside_a_command_is_refused_before_anything_runs(tmp_path, database):
    text = (
        (EXAMPLE / "migration.yaml")
        .read_text()
        .replace("  databases:", "  target: create_users\n  databases:")
    )
    (tmp_path / "migration.yaml").write_text(text)
    run = Headway(
        tmp_path, "run", "-f", "migration.yaml", "--url", "main=env:MAIN_URL",
        environment=variables(MAIN_URL=database.url()),
    )  # fmt: skip
    assert run.wait() == 2
    assert "with command the application decides where its databases go" in run.out + run.err
    assert database.tables() == set()
