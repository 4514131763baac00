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
        f"main: There is no module alembic in {python} (Python {version}). "
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
    assert "Revision a2 (add a status to users) failed: no such table: nowhere (a2.py, line " in told
    assert "Correct the revision and run the same command again" in told
    assert "migrations/versions/a2.py" in told
    assert "[alembic.runtime" not in told


def with_section(project, section):
    (project.folder / "shop.yaml").write_text(resource({"main": {"alembic": {"section": section}}}))
    return project


def test_a_section_that_is_not_there_is_told_with_those_that_are(project):
    told = failed(run(with_section(project, "cash")))
    assert "alembic.ini has no section [cash]; with a script_location it has: [alembic]." in told


def test_an_env_py_that_wants_a_variable_is_told_how_it_gets_it(project):
    project.write_env("import os\nurl = os.environ['SHOP_URL']\n")
    told = failed(run(project))
    assert "If env.py takes the database's URL from SHOP_URL, say so: databases[].urlEnv: SHOP_URL." in told
    (project.folder / "shop.yaml").write_text(resource({"main": {"urlEnv": "SHOP_URL"}}))
    assert "SHOP_URL" not in failed(run(project)), "it is set now, and env.py does nothing with it"


def test_no_url_at_all_is_told(project):
    project.write_env("raise KeyError('no idea where it is')\n")
    told = failed(Headway(project.folder, "run", "-f", "shop.yaml"))
    assert (
        "No URL was given for this database (with --url DATABASE=URL), so env.py had to find it by itself."
        in told
    )


def test_a_sqlite_file_in_a_folder_that_is_not_there_is_a_database_that_is_not_there(project):
    url = f"sqlite:///{project.folder}/nowhere/main.sqlite"
    told = failed(Headway(project.folder, "run", "-f", "shop.yaml", "--url", f"main={url}"))
    assert "DatabaseDoesNotExist: There is no database of this name." in told
    assert "nowhere/main.sqlite, and its folder must be there and writable." in told


def test_a_syntax_error_names_its_file_and_its_line_once(project):
    (project.folder / "migrations" / "versions" / "a2.py").write_text("revision = 'a2'\nif True\n")
    told = failed(run(project))
    assert "main: The revision file migrations/versions/a2.py, line 2: SyntaxError: expected ':'." in told


def test_an_error_that_was_told_is_not_told_again_by_the_log(project):
    url = "postgresql://shop:hidden-word@127.0.0.1:1/main"
    (project.folder / "shop.yaml").write_text(resource({"main": {}}, retry={"limit": 1, "backoffSeconds": 1}))
    told = failed(Headway(project.folder, "run", "-f", "shop.yaml", "--url", f"main={url}"))
    assert "Connection refused. Is the server running" in told
    assert "Attempt 1 of 2 failed." in told
    assert "Given up after 2 attempts." in told
    assert "The log is " in told
    assert "  | " not in told


@pytest.fixture
def users(tmp_path, database):
    """A revision that would stop an application, over a table of a size that matters."""
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    database.execute("INSERT INTO users SELECT n, 'a' FROM generate_series(1, 20000) n")
    database.execute("ANALYZE users")
    from_template(tmp_path).revision("required", "op.alter_column('users', 'name', nullable=False)")
    return database


def run_with_lint(folder, database, mode):
    (folder / "shop.yaml").write_text(resource({"main": {}}, lint={"mode": mode}))
    return Headway(folder, "run", "-f", "shop.yaml", f"--url=main={database.url()}")


FINDING = re.compile(
    r"Z main: Error in required: users\.name is made NOT NULL in one step \(20\.0k rows\)\. "
    r"\[not_null_is_set_on_an_existing_column, line \d+\]\n"
)


def test_what_the_review_finds_is_shown_before_it_runs_and_changes_no_exit_code(tmp_path, users):
    started = run_with_lint(tmp_path, users, "Warn")
    assert started.wait() == 0, started.out + started.err
    assert "the review has 1 finding; headway plan of the same files says why" in started.out
    assert FINDING.search(started.out), started.out
    assert started.out.index("Error in required") < started.out.index("main: started")


def test_what_enforce_refuses_is_shown_with_what_to_do(tmp_path, users):
    started = run_with_lint(tmp_path, users, "Enforce")
    assert started.wait() == 1, started.out + started.err
    assert FINDING.search(started.out), started.out
    assert "LintFailed: " in started.out
    assert "Change the revision as the finding says" in started.out
    assert "main  not started" in started.out


def test_without_the_review_nothing_is_said_of_it(tmp_path, users):
    started = run_with_lint(tmp_path, users, "Never")
    assert started.wait() == 0, started.out + started.err
    assert "finding" not in started.out
