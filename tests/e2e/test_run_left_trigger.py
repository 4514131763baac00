"""A trigger that an applied revision left holds the revision that would break it, in words that a user reads."""

from __future__ import annotations

import psycopg

from support.command_line import Headway, resource
from support.projects import from_template

MADE = """
import headway
op.create_table(
    "books",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pages", sa.Integer),
    sa.Column("title", sa.Text),
)
op.execute("INSERT INTO books SELECT n, n, 'a title' FROM generate_series(1, 100) n")
headway.add_column_with_backfill("books", sa.Column("shelf", sa.Text), "'S' || (pages / 10)")
headway.rename_column_expand("books", "title", "name")
"""
WHAT = (
    "Error: books.pages is dropped while the trigger that fills books.shelf, which an applied revision has left, "
    "reads it."
)
NEXT = (
    "The application's next INSERT or UPDATE fails in the trigger. "
    "Call `headway.stop_filling_column('books', 'shelf')` in a revision before this one, "
    "once the application writes the column itself."
)
WIDE = {"NO_COLOR": "1", "COLUMNS": "1000"}


def said(run):
    return " ".join((run.out + run.err).split())


def test_enforce_holds_a_drop_under_an_applied_trigger_and_lets_the_librarys_own_steps_pass(
    tmp_path, database
):
    project = from_template(tmp_path).revision("a1", MADE)
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}, lint={"mode": "Enforce"}))
    command = ("shop.yaml", f"--url=main={database.url()}")

    def headway(verb):
        run = Headway(tmp_path, verb, *command, environment=WIDE)
        return run.wait(), run

    code, run = headway("run")
    assert code == 0, said(run)

    project.revision("a2", "op.drop_column('books', 'pages')", mark="post_deploy = True")
    _, plan = headway("plan")
    assert WHAT in said(plan)
    assert NEXT in said(plan)
    code, run = headway("run")
    assert code != 0
    assert "LintFailed" in said(run)
    assert "books.pages is dropped while the trigger that fills books.shelf" in said(run)

    project.last = "a1"
    project.revision(
        "a2",
        """
        import headway
        headway.stop_filling_column("books", "shelf")
        headway.rename_column_contract("books", "title", "name")
        """,
    )
    project.revision(
        "a3", "op.drop_column('books', 'pages')\nop.alter_column('books', 'name', type_=sa.String(99))"
    )
    _, plan = headway("plan")
    assert "trigger" not in said(plan)
    code, run = headway("run")
    assert code == 0, said(run)
    with psycopg.connect(database.address, autocommit=True) as connection:
        connection.execute("INSERT INTO books (id, name, shelf) VALUES (1000, 'new', 'S1')")
        connection.execute("UPDATE books SET name = 'other'")
