"""What a person at a terminal is told of a run that failed: what happened, why, and what can be done here."""

import re
import sys
import venv

import pytest

from support.command_line import Headway, resource
from support.projects import from_template

OF_A_CLUSTER = re.compile(r"kubectl|\b(image|Secret|Job|pod)\b")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    return from_template(tmp_path).tables("a1")


def run(project, *arguments):
    url = f"sqlite:///{project.folder / 'main.sqlite'}"
    return Headway(project.folder, "run", "-f", "shop.yaml", "--url", f"main={url}", *arguments)


def failed(started):
    """What it prints, which tells of no cluster."""
    assert started.wait() == 1, started.out + started.err
    assert OF_A_CLUSTER.search(started.out) is None, started.out
    return started.out


def test_an_interpreter_without_alembic_is_named_with_what_is_missing_and_what_to_do(project):
    venv.create(project.folder / "bare")
    told = failed(run(project, "--python", "bare/bin/python"))
    python = project.folder / "bare" / "bin" / "python"
    version = ".".join(str(part) for part in sys.version_info[:3])
    assert (
        "AlembicMissing: The interpreter that was to run the migration has no Alembic. "
        f"There is no module alembic in {python} (Python {version}). "
        "Name the interpreter of the project's environment (--python .venv/bin/python), "
        "or install alembic into this one."
    ) in told
    assert told.count("There is no module alembic") == 2, "once when it happens, once in the summary"


def test_a_program_that_is_no_python_is_told_without_retrying_for_ever(project):
    (project.folder / "shop.yaml").write_text(resource({"main": {}}, retry={"limit": 0}))
    told = failed(run(project, "--python", "/bin/false"))
    assert "PodFailed: The runner's process ended without a result." in told
    assert "is the interpreter a Python?" in told


def test_a_failed_revision_is_told_with_its_title_and_its_line(project):
    project.revision("a2", "op.execute('SELECT * FROM nowhere')", title="add a status to users")
    told = failed(run(project))
    assert "Revision a2 (add a status to users) failed: no such table: nowhere." in told
    assert "Correct the revision and run the same command again" in told
    assert "migrations/versions/a2.py" in told
    assert "[alembic.runtime" not in told
