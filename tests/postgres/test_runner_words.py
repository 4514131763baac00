"""What the runner says names what to correct: a file and its line, the targets there are, a revision's title."""

from __future__ import annotations

import pytest

from support.projects import from_template
from support.runner import migrate


def told(run, name):
    assert run.result.failure is not None, run.stderr
    assert run.result.failure.name == name, run.result.failure
    return run.result.failure.message


def branched(folder):
    project = from_template(folder).tables("a1", "a2")
    return project.revision("b1", after="a1", label="analytics")


@pytest.mark.parametrize(
    ("target", "meant"),
    [("analitics@head", "analytics@head"), ("analitycs", "analytics"), ("haed", "head")],
)
def test_an_unknown_target_is_told_with_the_one_that_was_meant_and_all_that_there_are(
    tmp_path, database, target, meant
):
    message = told(migrate(branched(tmp_path), database.url(), target=target), "UnknownTarget")
    assert message == (
        f"The project has no revision or branch {target}. Did you mean {meant}? "
        "Its heads are a2, b1, its label is analytics."
    )


def test_a_target_that_resembles_nothing_is_told_without_a_guess(tmp_path, database):
    message = told(migrate(branched(tmp_path), database.url(), target="beef"), "UnknownTarget")
    assert "Did you mean" not in message
    assert "Its heads are a2, b1" in message


def test_of_many_heads_ten_are_named_and_the_rest_counted(tmp_path, database):
    project = from_template(tmp_path)
    for number in range(12):
        project.revision(f"r{number:02}", after=None)
    message = told(migrate(project, database.url(), target="beef"), "UnknownTarget")
    assert "r08, r09 and 2 more." in message
    assert "r10" not in message


BROKEN = {
    "syntax": (
        "revision = 'a2'\ndown_revision = 'a1'\ndef upgrade(:\n    pass\n",
        "The revision file migrations/versions/a2.py, line 3: SyntaxError: invalid syntax",
    ),
    "import": (
        "import shop_models\nrevision = 'a2'\ndown_revision = 'a1'\n",
        "The revision file migrations/versions/a2.py, line 1: "
        "ModuleNotFoundError: No module named 'shop_models'",
    ),
    "key": (
        "import os\nrevision = 'a2'\ndown_revision = os.environ['NOT_SET']\n",
        "The revision file migrations/versions/a2.py, line 3: KeyError: 'NOT_SET'",
    ),
    "no parent": (
        "revision = 'a2'\n",
        "The revision file migrations/versions/a2.py has no variable 'down_revision'."),
    "unknown parent": (
        "revision = 'a2'\ndown_revision = 'a0'\n",
        "There is no revision a0, but migrations/versions/a2.py names it as its down_revision.",
    ),
    "unknown dependency": (
        "revision = 'a2'\ndown_revision = 'a1'\ndepends_on = 'a0'\n",
        "There is no revision a0, but migrations/versions/a2.py names it as its depends_on.",
    ),
    "doubled": (
        "revision = 'a1'\ndown_revision = None\n",
        "Two revision files have the revision a1: migrations/versions/a1.py, migrations/versions/a2.py.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_the_file_that_breaks_the_history_is_named(tmp_path, database, kind):
    code, message = BROKEN[kind]
    project = from_template(tmp_path).tables("a1")
    (tmp_path / "migrations" / "versions" / "a2.py").write_text(code)
    assert told(migrate(project, database.url()), "InvalidHistory").startswith(message)
    assert database.tables() == set()


def test_a_file_without_its_revision_is_named(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    (tmp_path / "migrations" / "versions" / "add-users.py").write_text("down_revision = 'a1'\n")
    message = told(migrate(project, database.url()), "InvalidHistory")
    assert message == "The revision file add-users.py has no variable 'revision'."


def test_of_a_module_that_a_revision_imports_both_files_are_named_and_the_log_has_the_traceback(
    tmp_path, database
):
    project = from_template(tmp_path).tables("a1")
    (tmp_path / "shop_models.py").write_text("class User(:\n")
    (tmp_path / "migrations" / "versions" / "a2.py").write_text("import shop_models\nrevision = 'a2'\n")
    run = migrate(project, database.url(), environment={"PYTHONPATH": str(tmp_path)})
    message = told(run, "InvalidHistory")
    assert message.startswith("The revision file migrations/versions/a2.py, line 1: SyntaxError")
    assert "shop_models.py, line 1" in message
    assert 'a2.py", line 1, in <module>' in run.stderr


def line_of(project, revision, text):
    """The number of the line of this revision's file that has this text."""
    (file,) = project.folder.rglob(f"{revision}.py")
    return next(n for n, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def titled(folder, upgrade):
    return from_template(folder).tables("a1").revision("a2", upgrade, title="add a status to users")


def test_a_failed_revision_is_told_with_its_title(tmp_path, database):
    project = titled(tmp_path, "op.execute('SELECT * FROM nowhere')")
    message = told(migrate(project, database.url()), "RevisionFailed")
    assert message.startswith('Revision a2 (add a status to users) failed: relation "nowhere" does not exist')
    assert message.endswith(f" (a2.py, line {line_of(project, 'a2', 'nowhere')})")


def test_a_failure_below_the_revision_is_told_with_the_revision_s_own_line(tmp_path, database):
    (tmp_path / "fills.py").write_text("def fill():\n    raise ValueError('no')\n")
    project = titled(tmp_path, "import fills; fills.fill()")
    message = told(migrate(project, database.url(), {"PYTHONPATH": str(tmp_path)}), "RevisionFailed")
    assert message.endswith(f"ValueError: no (a2.py, line {line_of(project, 'a2', 'fills')})")


def test_so_is_one_of_which_a_part_stayed(tmp_path, database):
    code = "op.execute('CREATE TABLE kept ()')\nop.get_bind().commit()\nop.execute('SELECT * FROM nowhere')"
    message = told(migrate(titled(tmp_path, code), database.url()), "PartiallyApplied")
    assert message.startswith("Revision a2 (add a status to users) failed: ")
    assert "Committed before that and still there: CREATE TABLE kept" in message


def test_so_is_one_whose_process_ended(tmp_path, database):
    run = migrate(titled(tmp_path, "import os; os._exit(3)"), database.url())
    message = told(run, "RevisionFailed")
    assert message == (
        "Revision a2 (add a status to users) did not end. "
        "The process that ran it ended itself with exit code 3."
    )


def test_a_permission_that_is_missing_names_the_revision(tmp_path, database):
    code = "op.execute('SET ROLE pg_monitor'); op.execute('CREATE TABLE public.t ()')"
    message = told(migrate(titled(tmp_path, code), database.url()), "PermissionDenied")
    assert message.startswith("Revision a2 (add a status to users) failed: permission denied")
