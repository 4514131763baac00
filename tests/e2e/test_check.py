"""`headway check`: differences between a database and the models, readable, and never a failure by themselves."""

from __future__ import annotations

import json
import sqlite3

import pytest

from support.command_line import Headway, resource
from support.projects import from_template

MODELS = """
metadata = sa.MetaData()
sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Index("ix_users_name", "name"),
)
"""


def a_project(folder, models=MODELS):
    project = from_template(folder)
    project.revision(
        "a1",
        "op.create_table('users', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(20)))",
    )
    if models:
        given = f"import sqlalchemy as sa\n{models}\ntarget_metadata = metadata"
        project.write_env(project.env.read_text().replace("target_metadata = None", given))
    (folder / "shop.yaml").write_text(resource({"main": {}}))
    return project


def check(folder, *options):
    run = Headway(folder, "check", "shop.yaml", "--url", f"main=sqlite:///{folder}/shop.db", *options)
    return run.wait(), run.out, run.err


@pytest.fixture
def migrated(tmp_path):
    a_project(tmp_path)
    run = Headway(tmp_path, "run", "-f", "shop.yaml", "--url", f"main=sqlite:///{tmp_path}/shop.db")
    assert run.wait() == 0, run.out + run.err
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE legacy_orders (id INTEGER)")
    connection.commit()
    connection.close()
    return tmp_path


def test_the_differences_are_sentences_and_no_failure(migrated):
    code, out, err = check(migrated)
    assert code == 0, out + err
    assert out.splitlines() == [
        "main: 4 differences between the database and the models",
        "  index ix_users_name on users is in the models and not in the database",
        "  table legacy_orders is in the database and not in the models",
        "  users.name: NULL is allowed in the database and not in the models",
        "  column users.status is in the models and not in the database",
    ]


def test_the_exit_code_tells_when_asked_and_what_is_ignored_does_not_count(migrated):
    assert check(migrated, "--exit-code")[0] == 1
    code, out, err = check(
        migrated, "--exit-code", "--ignore", "legacy_*", "--ignore", "*_index:*", "--ignore", "users.*"
    )
    assert (code, out) == (0, "main: no difference between the database and the models\n"), err


def test_programs_get_json(migrated):
    code, out, _ = check(migrated, "-o", "json")
    (main,) = json.loads(out)["databases"]
    assert code == 0
    assert main["name"] == "main"
    assert {"kind": "add_column", "name": "users.status"}.items() <= main["differences"][3].items()


def test_a_database_that_lacks_revisions_is_not_compared_yet(tmp_path):
    a_project(tmp_path)
    code, out, err = check(tmp_path, "--exit-code")
    told = "main: not compared. It is compared once it is at its target: a revision is pending.\n"
    assert (code, out) == (0, told), err


def test_a_project_without_models_has_nothing_to_compare_with(tmp_path):
    a_project(tmp_path, models="")
    code, out, err = check(tmp_path, "--exit-code")
    assert (code, out) == (
        0,
        "main: not compared. env.py gives no target_metadata, so there are no models to compare with.\n",
    ), err


def test_a_database_that_cannot_be_reached_is_a_failure_of_the_check(tmp_path):
    a_project(tmp_path)
    run = Headway(
        tmp_path, "check", "shop.yaml", "--url", "main=postgresql://shop:hidden-word@127.0.0.1:1/main"
    )
    assert run.wait() == 1
    assert "could not be reached" in run.out
    assert run.out.endswith(" Check that it is up, and the host and port of its URL.\n")
    assert "hidden-word" not in run.out + run.err


def test_the_command_of_an_application_is_refused_with_what_to_use_instead(tmp_path):
    a_project(tmp_path)
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}, command=["flask", "db", "upgrade"]))
    code, _, err = check(tmp_path)
    assert code == 2
    assert "alembic check" in err
