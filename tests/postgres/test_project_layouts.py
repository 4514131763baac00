"""Where a project may keep its revisions, what they may be called, and how its history may be shaped."""

from __future__ import annotations

import py_compile

import pytest

from headway_contract.exit_codes import ExitCode
from support.plain import plain_alembic
from support.projects import from_template
from support.runner import database_request, migrate, plan, request_for, run_runner


def set_option(project, *lines, drop=""):
    """Options right below the section's head; what the template has of them, and `drop`, is taken out."""
    ini = project.folder / "alembic.ini"
    names = (drop, *(line.split("=")[0].strip() for line in lines))
    kept = [
        line for line in ini.read_text().splitlines() if line.split("=")[0].strip() not in names or not line
    ]
    at = kept.index("[alembic]") + 1
    ini.write_text("\n".join([*kept[:at], *lines, *kept[at:]]))
    return project


def moved(project, **places):
    """Move revision files to folders of the project."""
    for revision, folder in places.items():
        target = project.folder / folder
        target.mkdir(parents=True, exist_ok=True)
        (project.folder / project.scripts / "versions" / f"{revision}.py").rename(target / f"{revision}.py")
    return project


def two_places(folder):
    return moved(from_template(folder).tables("a1", "a2"), a1="core", a2="plugin")


def succeeded(run, *revisions):
    assert run.exit_code == 0, run.stderr
    assert run.result.to_revision == revisions[-1:]


@pytest.mark.parametrize(
    ("option", "between"),
    [
        ("version_path_separator = space", " "),
        ("version_path_separator = os", ":"),
        ("path_separator = newline", "\n    "),
    ],
)
def test_revisions_in_several_places_are_one_history(tmp_path, database, option, between):
    places = between.join(("%(here)s/core", "%(here)s/plugin"))
    project = set_option(two_places(tmp_path), option, f"version_locations = {places}", drop="path_separator")
    succeeded(migrate(project, database.url()), "a2")
    assert database.tables() == {"alembic_version", "a1", "a2"}


def test_the_places_may_be_known_to_env_py_alone(tmp_path, make_database):
    project = two_places(tmp_path).use_env("version_locations_in_env")
    plainly, ours = make_database("plain"), make_database("runner")
    assert plain_alembic(project, plainly.url()).returncode == 0
    succeeded(migrate(project, ours.url()), "a2")
    assert ours.tables() == plainly.tables() == {"alembic_version", "a1", "a2"}


def test_revisions_in_folders_by_date_are_found(tmp_path, database):
    project = from_template(tmp_path).tables("a1", "a2")
    moved(project, a1="migrations/versions/2025/11", a2="migrations/versions/2026/01")
    set_option(project, "recursive_version_locations = true")
    succeeded(migrate(project, database.url()), "a2")


def test_two_script_folders_of_one_project_have_a_section_and_a_version_table_each(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    other = from_template(tmp_path / "elsewhere", scripts="reports").tables("r1")
    (tmp_path / "elsewhere" / "reports").rename(tmp_path / "reports")
    assert other.folder != project.folder
    ini = tmp_path / "alembic.ini"
    ini.write_text(
        ini.read_text() + "\n[reports]\nscript_location = %(here)s/reports\nprepend_sys_path = .\n"
    )
    succeeded(migrate(project, database.url()), "a1")
    run = migrate(project, database.url(), section="reports", version_table="version_of_reports")
    succeeded(run, "r1")
    assert database.tables() == {"alembic_version", "a1", "version_of_reports", "r1"}
    again = plan(project, {"main": database.url()}, section="reports", version_table="version_of_reports")
    assert again.result.plan.databases[0].pending == ()


def test_an_image_without_sources_is_planned_and_applied(tmp_path, database):
    project = set_option(from_template(tmp_path).tables("a1", "a2"), "sourceless = true")
    for source in (tmp_path / "migrations" / "versions").glob("a*.py"):
        py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")))
        source.unlink()
    found = plan(project, {"main": database.url()}).result.plan.databases[0]
    assert [len(one.file_sha256) for one in found.pending] == [64, 64]
    succeeded(migrate(project, database.url(), planned=found.planned), "a2")


def test_a_history_that_was_squashed_into_its_head_fits_old_and_new_databases(tmp_path, make_database):
    old, new = make_database("old"), make_database("new")
    project = from_template(tmp_path / "before").tables("a1", "a2")
    succeeded(migrate(project, old.url()), "a2")
    both = "; ".join(f"op.create_table({name!r}, sa.Column('id', sa.Integer))" for name in ("a1", "a2"))
    squashed = from_template(tmp_path / "after").revision("a2", both).tables("a3")
    for database, applied in ((old, ("a3",)), (new, ("a2", "a3"))):
        run = migrate(squashed, database.url())
        succeeded(run, "a3")
        assert run.result.applied == applied
        assert database.tables() == {"alembic_version", "a1", "a2", "a3"}


def test_a_branch_that_depends_on_another_and_a_merge_of_both_are_applied_once(tmp_path, database):
    project = from_template(tmp_path)
    project.revision("s1", "op.execute('CREATE TABLE s1 ()')", after=None, label="shop")
    project.revision("s2", "op.execute('CREATE TABLE s2 ()')")
    project.revision("c1", "op.execute('CREATE TABLE c1 ()')", after=None, label="crm", depends_on="s1")
    run = migrate(project, database.url(), target="crm@head")
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("s1", "c1")
    project.revision("m1", after=("s2", "c1"))
    found = plan(project, {"main": database.url()}).result.plan.databases[0]
    assert [one.revision for one in found.pending] == ["s2", "m1"]
    succeeded(migrate(project, database.url(), planned=found.planned), "m1")
    assert database.rows("SELECT version_num FROM alembic_version") == [("m1",)]


@pytest.mark.parametrize("revision", ["2026.11.3", "head1", "Add_users", "0001"])
def test_a_revision_may_have_any_name_that_alembic_takes(tmp_path, database, revision):
    project = from_template(tmp_path).revision(revision, "op.execute('CREATE TABLE t ()')")
    succeeded(migrate(project, database.url(), target=revision), revision)


@pytest.mark.parametrize("target", ["--help", "-h", "--sql", "--tag=x", "-x"])
def test_a_target_that_looks_like_an_option_is_a_target_that_does_not_exist(tmp_path, database, target):
    """Taken for an option, --help would end the pass with exit code 0."""
    run = migrate(from_template(tmp_path).tables("a1"), database.url(), target=target)
    assert run.exit_code == ExitCode.BAD_HISTORY
    assert run.result.failure.name == "UnknownTarget", run.result.failure
    assert target in run.result.failure.message
    assert database.tables() == set()


def test_an_x_argument_may_have_any_name(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    check = "assert context.get_x_argument(as_dictionary=True) == {'-h': '--help', 'a': 'b=c'}\n"
    project.env.write_text(
        project.env.read_text().replace("config = context.config\n", f"config = context.config\n{check}", 1)
    )
    succeeded(migrate(project, database.url(), x=(("-h", "--help"), ("a", "b=c"))), "a1")


@pytest.mark.parametrize("revision", ["with-dash", "with@at", "with+plus"])
def test_a_revision_with_a_name_that_alembic_refuses_is_told(tmp_path, database, revision):
    project = from_template(tmp_path).revision(revision)
    run = migrate(project, database.url())
    assert run.exit_code == ExitCode.BAD_HISTORY
    assert run.result.failure.name == "InvalidHistory"
    assert "not allowed in revision identifier" in run.result.failure.message
    assert database.tables() == set()


def test_a_revision_whose_name_is_too_long_for_the_version_table_is_told_with_what_to_do(tmp_path, database):
    long = "add_the_column_of_the_status_to_all_users"
    project = from_template(tmp_path).tables("a1").revision(long, "op.execute('CREATE TABLE t ()')")
    run = migrate(project, database.url())
    assert run.exit_code == ExitCode.MIGRATION_FAILED
    assert run.result.failure.name == "RevisionFailed"
    assert "longer than the version table's 32 characters" in run.result.failure.message
    assert "ALTER TABLE alembic_version" in run.result.failure.message
    assert database.tables() == {"alembic_version", "a1"}
    database.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)")
    succeeded(migrate(project, database.url()), long)


def test_the_applications_modules_are_found_as_prepend_sys_path_says(tmp_path, database):
    project = from_template(tmp_path).tables("a1")
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "models.py").write_text("NAME = 'shop'")
    set_option(project, "prepend_sys_path = src")
    project.env.write_text("from shop.models import NAME\nassert NAME\n" + project.env.read_text())
    request = request_for(database_request())
    succeeded(run_runner(project, request, {"main": database.url()}), "a1")
