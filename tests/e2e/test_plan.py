"""`headway plan` as a user types it: of a project here, with its database or without any."""

from __future__ import annotations

import json
import re
import sqlite3
import venv

import psycopg
import pytest

from support.command_line import Headway, resource
from support.projects import from_template

CLUSTER = re.compile(r"kubectl|\b(image|Secret|Job|pod)\b")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    return from_template(tmp_path)


def plan(project, *arguments, **options):
    run = Headway(project.folder, "plan", "shop.yaml", *arguments, **options)
    code = run.wait()
    return code, run.out, run.err


def test_statements_locks_and_sizes_are_on_one_screen_and_nothing_is_changed(project, database):
    with psycopg.connect(database.address, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 20000)"
        )
        connection.execute("VACUUM ANALYZE orders")
    project.revision("a1", "op.add_column('orders', sa.Column('note', sa.Text))", title="Orders have a note")
    code, out, err = plan(project, f"--url=main={database.url()}", environment={"NO_COLOR": "1"})
    assert (code, err) == (0, "")
    assert out.startswith("shop: 1 revision in 1 database\nsha256:")
    assert (
        "  at base → a1\n   1. a1  Orders have a note  [no way back]\n      ALTER TABLE orders ADD COLUMN note TEXT"
        in out
    )
    assert "locks orders (about 20.0k rows, 729.1 kB): reads and writes wait (ACCESS EXCLUSIVE)" in out
    assert "\x1b" not in out
    assert database.tables() == {"orders"}
    code, out, _ = plan(project, f"--url=main={database.url()}", "-o", "sql")
    assert [line for line in out.splitlines() if line and not line.startswith("--")] == [
        "ALTER TABLE orders ADD COLUMN note TEXT;"
    ]


def test_the_digest_is_that_which_a_run_asks_to_approve(project, database):
    project.tables("a1")
    (project.folder / "shop.yaml").write_text(resource({"main": {}}, plan={"approval": "Required"}))
    url = f"--url=main={database.url()}"
    _, out, _ = plan(project, url)
    digest = out.splitlines()[1]
    run = Headway(project.folder, "run", "-f", "shop.yaml", url)
    assert run.wait() == 3
    assert f"Its digest is {digest}." in run.out


def test_without_a_database_the_plan_is_that_of_an_empty_one_or_from_a_revision_on(project):
    project.tables("a1", "a2", "a3")
    (project.folder / "shop.yaml").write_text(
        resource({"main": {"urlFrom": {"secretKeyRef": {"name": "nowhere", "key": "uri"}}}})
    )
    code, out, err = plan(project, "--offline", "-o", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert "digest" not in told
    assert [one["revision"] for one in told["databases"][0]["revisions"]] == ["a1", "a2", "a3"]
    code, out, err = plan(project, "--from", "a2")
    assert "main  PostgreSQL  from a2 → a3\n   1. a3" in out
    assert "CREATE TABLE a3" in out
    code, out, err = plan(project, "--from", "b7")
    assert (code, "UnknownTarget" in out + err) == (1, True)


def test_a_database_that_cannot_be_looked_at_fails_and_the_password_is_not_shown(project):
    project.tables("a1")
    code, out, err = plan(project, "--url=main=postgresql://shop:s3cret-word@127.0.0.1:9/shop")
    assert code == 1
    assert out.startswith("shop: the look at 1 of 1 databases failed\n")
    assert "main  the look at it failed" in out
    assert "DatabaseUnreachable" in out
    assert "s3cret-word" not in out + err


def test_what_fails_here_has_the_next_step_that_a_run_names(project, tmp_path):
    project.tables("a1")
    (project.folder / "shop.yaml").write_text(resource({"main": {"target": "b7"}}, retry={"limit": 0}))
    url = f"--url=main=sqlite:///{project.folder}/app.db"
    code, out, err = plan(project, url, environment={"COLUMNS": "1000"})
    assert code == 1
    assert CLUSTER.search(out + err) is None
    run = Headway(project.folder, "run", "-f", "shop.yaml", url)
    assert run.wait() == 1
    step = "Correct the target, or check out the version of the project that contains it."
    assert f". {step}" in " ".join(out.split())
    assert f". {step}" in run.out
    venv.create(tmp_path / "bare")
    code, _, err = plan(project, url, "--python", "bare/bin/python")
    assert code == 1
    assert "Name the interpreter of the project's environment (--python .venv/bin/python)" in err


def test_the_file_may_stand_after_f_as_for_a_run_and_a_run_takes_it_without(project):
    project.tables("a1")
    url = f"--url=main=sqlite:///{project.folder}/app.db"
    for words in (("-f", "shop.yaml", url), (url, "-f", "shop.yaml"), (url, "shop.yaml")):
        planned = Headway(project.folder, "plan", *words)
        assert planned.wait() == 0, planned.err
        assert planned.out.startswith("shop: 1 revision in 1 database\n")
    run = Headway(project.folder, "run", "shop.yaml", url)
    assert run.wait() == 0, run.out + run.err
    checked = Headway(project.folder, "check", "-f", "shop.yaml", url)
    assert checked.wait() == 0, checked.err
    for verb in ("run", "plan", "check"):
        both = Headway(project.folder, verb, "-f", "shop.yaml", "shop.yaml", url)
        assert both.wait() == 2
        assert "not allowed with argument" in both.err
        neither = Headway(project.folder, verb, url)
        assert neither.wait() == 2
        assert neither.err.startswith(f"usage: headway {verb} ")


def test_the_project_is_not_loaded_by_another_python_than_the_one_that_is_named(project, tmp_path):
    project.tables("a1")
    code, _, err = plan(project, "--offline", "--python", str(tmp_path / "python"))
    assert (code, "there is no program" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("absent.yaml", "--offline"), "there is no such file"),
        (("shop.yaml", "shop"), "there is no file shop"),
        (("shop", "--offline"), "--offline is for files; shop is the name of a resource in the cluster"),
        (("shop", "--kubeconfig", "nowhere"), "If shop is a file, write ./shop"),
    ],
)
def test_input_that_cannot_be_used_is_told_with_what_to_write_instead(project, arguments, said):
    run = Headway(project.folder, "plan", *arguments)
    assert run.wait() == 2
    assert said in run.err


def test_a_plan_of_sqlite_says_that_sizes_are_not_known(project):
    project.tables("a1")
    code, out, _ = plan(project, f"--url=main=sqlite:///{project.folder}/app.db")
    assert (code, "How large the tables of main are is not known." in out) == (0, True)
    assert sqlite3.connect(project.folder / "app.db").execute("SELECT * FROM sqlite_master").fetchall() == []
