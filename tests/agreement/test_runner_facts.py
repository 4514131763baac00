"""What a plan tells of revisions without running them: SQLite needs no server, and the runner is the real one."""

from __future__ import annotations

import pytest

from headway_contract.events import Planned
from headway_contract.request import Mode
from headway_contract.result import Plan
from headway_contract.wire import join_document
from support.projects import from_template
from support.runner import database_request, request_for, run_runner

FIRST = 12
"""The line of a revision's first statement."""


@pytest.fixture
def project(tmp_path):
    return from_template(tmp_path / "project")


def look(project, **options):
    database = database_request(**options)
    request = request_for(database, mode=Mode.PLAN, tells_facts=True)
    return run_runner(project, request, {"main": f"sqlite:///{project.folder}/app.db"})


def database_of(run):
    assert run.exit_code == 0, run.stderr
    if not run.result.plan_sha256:
        return run.result.plan.databases[0]
    document = Plan.from_json(join_document(run.result.plan_sha256, run.stdout.splitlines()))
    return document.databases[0]


def facts(project, **options):
    return database_of(look(project, **options)).facts


def only(project, upgrade, **options):
    (revision,) = facts(project.revision("a1", upgrade, **options)).revisions
    return revision


def test_statements_are_told_in_order_with_the_line_of_the_call(project):
    project.revision(
        "a1", "op.create_table('t',\n    sa.Column('id', sa.Integer))\n\nop.execute('DROP TABLE t')"
    )
    told = facts(project)
    assert (told.dialect, told.tables_known, told.tables) == ("sqlite", False, ())
    (revision,) = told.revisions
    assert [(one.line, one.sql) for one in revision.statements] == [
        (FIRST, "CREATE TABLE t (\n    id INTEGER\n)"),
        (FIRST + 3, "DROP TABLE t"),
    ]
    assert (revision.not_renderable, revision.file) == ("", "migrations/versions/a1.py")
    assert revision.file_sha256 == database_of(look(project)).pending[0].file_sha256


def test_the_line_of_a_statement_is_the_innermost_of_the_file(project):
    code = "def upgrade():\n    helper()\n\n\ndef helper():\n    op.execute('DROP TABLE t')\n"
    (revision,) = facts(project.revision("a1", functions=code)).revisions
    assert [one.line for one in revision.statements] == [FIRST + 4]


def test_a_parameter_that_a_script_would_lose_is_never_told_as_null(project):
    revision = only(
        project,
        """
        bind, t = op.get_bind(), sa.table("t", sa.column("n", sa.String), sa.column("a", sa.JSON))
        bind.execute(sa.text("UPDATE t SET n = :n WHERE m = CAST(:m AS text)"), {"n": "x", "m": 2})
        bind.execute(t.insert(), [{"n": "a"}, {"n": "b"}])
        op.execute(sa.text("UPDATE t SET n = :n").bindparams(n="kept"))
        op.execute(t.update().values(n="kept too"))
        op.execute(sa.text("UPDATE t SET n = NULL"))
        op.execute(sa.text("UPDATE t SET n = :n").bindparams(sa.bindparam("n", None)))
        """,
    )
    assert [(one.lost_parameters, one.sql) for one in revision.statements] == [
        (True, "UPDATE t SET n = $1 WHERE m = CAST($2 AS text)"),
        (True, "INSERT INTO t (n, a) VALUES ($1, $2)"),
        (False, "UPDATE t SET n = 'kept'"),
        (False, "UPDATE t SET n='kept too'"),
        (False, "UPDATE t SET n = NULL"),
        (False, "UPDATE t SET n = NULL"),
    ]


def test_a_value_without_a_form_in_sql_is_a_parameter_and_the_revision_goes_on(project):
    revision = only(
        project,
        """
        t = sa.table("t", sa.column("n", sa.LargeBinary), sa.column("s"))
        op.execute(t.update().values(s=object()))
        op.execute("SELECT 1")
        """,
    )
    assert [(one.lost_parameters, one.sql) for one in revision.statements] == [
        (True, "UPDATE t SET s=$1"),
        (False, "SELECT 1"),
    ]


REASONS = [
    ("op.get_bind().execute(sa.text('SELECT 1')).scalar()", "line {first} needs what a statement returns"),
    (
        "for row in op.get_bind().execute(sa.text('SELECT 1')): pass",
        "line {first} needs what a statement returns",
    ),
    ("sa.inspect(op.get_bind())", "line {first} looks into the database"),
    ("op.get_bind().commit()", "line {first} looks into the database"),
    ("raise ValueError('not today')", "line {first} fails without a database: ValueError: not today"),
    ("import sys; sys.exit(3)", "line {first} ends the process"),
    ("import sqlite3; sqlite3.connect('x')", "line {first} connects to something"),
    ("sa.create_engine('sqlite:///x').connect()", "line {first} connects to something"),
    ("import socket; socket.create_connection(('127.0.0.1', 9))", "line {first} connects to something"),
    ("import os; os.system('true')", "line {first} starts another program"),
    ("import subprocess; subprocess.run(['true'])", "line {first} starts another program"),
    ("open('written', 'w')", "line {first} changes files"),
    ("import pathlib; pathlib.Path('written').touch()", "line {first} changes files"),
    ("import os; os.mkdir('written')", "line {first} changes files"),
    ("import os; os.kill(os.getppid(), 15)", "line {first} sends a signal"),
]


def test_what_cannot_be_rendered_has_a_reason_and_the_others_are_told(project):
    for number, (code, _) in enumerate(REASONS):
        project.revision(f"a{number:02}", f"{code}\nop.execute('SELECT 2')")
    project.revision("last", "op.execute('SELECT 3')")
    run = look(project)
    *failing, last = database_of(run).facts.revisions
    assert [one.not_renderable for one in failing] == [reason.format(first=FIRST) for _, reason in REASONS]
    assert [one.sql for one in last.statements] == ["SELECT 3"]
    assert not (project.folder / "written").exists()
    assert not (project.folder / "x").exists()
    assert [len(one.revisions) for one in run.of(Planned)] == [len(REASONS) + 1]


def test_what_is_refused_is_told_also_when_the_revision_hides_it(project):
    code = "try:\n    open('written', 'w')\nexcept BaseException:\n    pass\nop.execute('SELECT 1')"
    revision = only(project, code)
    assert (revision.not_renderable, len(revision.statements)) == ("it changes files", 1)


def test_what_a_revision_prints_while_it_is_rendered_is_seen_by_nobody(project):
    project.revision("a1", "print('A WORD'); import os; os.write(1, b'A WORD'); os.write(2, b'A WORD')")
    run = look(project)
    assert database_of(run).facts is not None
    assert "A WORD" not in run.stdout + run.stderr


def test_a_process_that_ends_in_the_middle_leaves_a_plan_without_facts_that_says_so(project):
    database = database_of(look(project.revision("a1", "import os; os._exit(7)")))
    assert (database.facts, [one.revision for one in database.pending]) == (None, ["a1"])
    assert database.notices == (
        "What the revisions would do cannot be told: the process that wrote them as SQL, without running them, "
        "came to no end. The process that ran it ended itself with exit code 7.",
    )


def test_facts_change_no_digest_and_are_told_only_when_asked_for(project):
    project.revision("a1", "op.execute('SELECT 1')")
    url = {"main": f"sqlite:///{project.folder}/app.db"}
    plain = run_runner(project, request_for(database_request(), mode=Mode.PLAN), url).result.plan
    assert plain.databases[0].facts is None
    assert database_of(look(project)).digest == plain.databases[0].digest
    run = look(project)
    assert run.result.plan.digest == plain.digest


def test_a_plan_whose_facts_do_not_fit_into_the_result_is_in_it_without_them(project):
    project.revision("a1", f"op.execute('SELECT {'1, ' * 2000} 2')")
    run = look(project)
    assert run.result.plan.databases[0].facts is None
    assert [one.revision for one in run.result.plan.databases[0].pending] == ["a1"]
    assert database_of(run).facts.revisions[0].statements


def test_revisions_of_another_branch_that_come_along_are_foreign(project):
    project.revision("shop1", "pass", label="shop", after=None)
    project.revision("crm1", "pass", label="crm", after=None, depends_on="shop1")
    project.revision("crm2", "pass")
    told = facts(project, target="crm@head").revisions
    assert [(one.revision, one.is_foreign) for one in told] == [
        ("shop1", True),
        ("crm1", False),
        ("crm2", False),
    ]
    assert [(one.branch_labels, one.down_revisions) for one in told][1:] == [
        (("crm",), ()),
        (("crm",), ("crm1",)),
    ]
    assert not any(one.is_foreign for one in facts(project, target="heads").revisions)


def test_what_a_revision_does_to_the_project_does_not_reach_the_database(project):
    project.revision("a1", "op.create_table('t', sa.Column('id', sa.Integer))")
    look(project)
    assert (
        not (project.folder / "app.db").exists()
        or b"CREATE TABLE" not in (project.folder / "app.db").read_bytes()
    )


def test_a_revision_may_ask_for_its_configuration_as_in_a_run(project):
    revision = only(
        project,
        """
        from alembic import context
        config = context.config
        offline = context.is_offline_mode()
        op.execute(f"SELECT '{config.get_main_option('script_location')[-10:]}', {int(offline)}")
        """,
    )
    assert [one.sql for one in revision.statements] == ["SELECT 'migrations', 1"]


def test_a_megabyte_of_sql_is_cut_and_that_is_told(project):
    (project.folder / "big.sql").write_text("SELECT " + "1, " * 350_000 + "1;")
    revision = only(project, "op.execute(open('big.sql').read())")
    (statement,) = revision.statements
    assert (len(statement.sql), statement.is_cut) == (10_000, True)


def test_more_statements_than_are_told_are_cut_and_that_is_told(project):
    revision = only(project, "while True:\n    op.execute('SELECT 1')")
    assert (len(revision.statements), revision.not_renderable) == (200, "it has more than 200 statements")
