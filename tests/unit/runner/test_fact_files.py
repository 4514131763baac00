"""What is read from a revision's file without running it: calls, ignore comments, marks."""

from __future__ import annotations

import textwrap

import pytest

from headway_contract.facts import Argument, Ignore
from headway_runner.facts import python
from headway_runner.facts.bounds import ARGUMENT_CHARACTERS, CALLS
from headway_runner.facts.calls import calls_of
from headway_runner.facts.ignores import ignores_of
from headway_runner.facts.source import file_facts


def calls(code, function="upgrade"):
    return list(calls_of(python.read(textwrap.dedent(code)), function))


def names(code, function="upgrade"):
    return [call.name for call in calls(code, function)]


@pytest.mark.parametrize(
    ("imported", "written", "told"),
    [
        ("from alembic import op", "op.drop_table('t')", "alembic.op.drop_table"),
        ("from alembic import op as o", "o.drop_table('t')", "alembic.op.drop_table"),
        ("import alembic.op", "alembic.op.drop_table('t')", "alembic.op.drop_table"),
        ("import alembic.op as o", "o.drop_table('t')", "alembic.op.drop_table"),
        ("import headway", "headway.backfill('t')", "headway.backfill"),
        ("from headway import backfill as fill", "fill('t')", "headway.backfill"),
        ("from . import util", "util.run()", "util.run"),
        ("from ..lib import util", "util.run()", "lib.util.run"),
        ("", "connection.execute('x')", "connection.execute"),
    ],
)
def test_a_call_has_its_name_with_the_import_undone(imported, written, told):
    assert names(f"{imported}\ndef upgrade():\n    {written}\n") == [told]
    assert names(f"def upgrade():\n    {imported or 'pass'}\n    {written}\n") == [told]


def test_a_call_on_what_is_no_name_is_told_by_its_last_part():
    code = "from alembic import op\ndef upgrade():\n    op.get_bind().execute('x')\n    items[0].close()\n"
    assert names(code) == ["….execute", "alembic.op.get_bind", "….close"]


def test_a_call_tells_its_lines_and_its_arguments():
    code = """
        def upgrade():
            run("a", [1, -2],
                size=b, where={"k": ("v",)}, *rest, **more)
    """
    (call,) = calls(code)
    assert (call.line, call.end_line, call.function) == (3, 4, "upgrade")
    assert call.arguments == (
        Argument('"a"', is_literal=True),
        Argument("[1, -2]", is_literal=True),
        Argument("*rest"),
        Argument("b", "size"),
        Argument('{"k": ("v",)}', "where", is_literal=True),
        Argument("more", "**"),
    )


def test_the_source_of_an_argument_is_right_behind_letters_of_several_bytes():
    (call,) = calls("def upgrade():\n    run('äöü', 'ß' + x)\n")
    assert [argument.text for argument in call.arguments] == ["'äöü'", "'ß' + x"]


def test_a_long_argument_loses_its_middle():
    (call,) = calls(f"def upgrade():\n    run('begin{'x' * 1_000_000}end')\n")
    (argument,) = call.arguments
    assert len(argument.text) <= ARGUMENT_CHARACTERS
    assert argument.text.startswith("'begin")
    assert argument.text.endswith("end'")


def test_a_call_tells_the_blocks_around_it_from_outside_in():
    code = """
        from alembic import op
        def upgrade():
            with op.get_context().autocommit_block():
                while more():
                    try:
                        if a: one()
                    except E: two()
            [three(x) for x in y]
    """
    told = {call.name: call.blocks for call in calls(code)}
    assert told["one"] == ("with ….autocommit_block", "while", "try", "if")
    assert told["two"] == ("with ….autocommit_block", "while", "try")
    assert told["more"] == ("with ….autocommit_block", "while")
    assert told["….autocommit_block"] == ()
    assert told["three"] == ("for",)


def test_a_helper_of_the_file_is_followed_where_it_is_called_or_handed_on():
    code = """
        def helper(n):
            run(n)
            helper(n - 1)
        def handed(): other()
        def unused(): never()
        def upgrade():
            for n in names: helper(n)
            retry(handed)
    """
    assert names(code) == ["helper", "run", "helper", "retry", "other"]
    told = {call.name: call for call in calls(code)}
    assert (told["run"].blocks, told["run"].function) == (("for",), "upgrade")


def test_the_calls_of_a_downgrade_are_its_own():
    code = "def upgrade(): up()\ndef downgrade(): down()\n"
    assert names(code, "downgrade") == ["down"]
    assert names("x = 1\n") == []


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# headway: ignore a_rule because it is small", [("a_rule", "it is small")]),
        ("#headway:ignore a_rule", [("a_rule", "")]),
        ("# headway: ignore a_rule, b-rule because both", [("a_rule", "both"), ("b-rule", "both")]),
        ("# headway: ignore because all is well", [("", "all is well")]),
        ("## headway: ignore: a because: b", [("a", "b")]),
        ("# headway is what we use", []),
        ("# see headway: ignored rules", []),
    ],
)
def test_an_ignore_comment_has_its_rules_and_its_reason(comment, told):
    found = list(ignores_of(f"x = 1\n{comment}\n"))
    assert [(one.rule, one.reason) for one in found] == told
    assert all(one.line == 2 and not one.whole_file for one in found)


def test_an_ignore_comment_before_the_first_line_of_code_is_for_the_whole_file():
    text = '"""Title."""\n# headway: ignore a because x\nimport os  # headway: ignore b because y\n'
    assert list(ignores_of(text)) == [Ignore("a", "x", 2, True), Ignore("b", "y", 3, False)]


def test_what_looks_like_an_ignore_comment_in_a_string_is_none():
    assert list(ignores_of('x = """\n# headway: ignore a because x\n"""\n')) == []


def facts_of(tmp_path, monkeypatch, code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a1.py").write_text(code)
    return file_facts(str(tmp_path / "a1.py"), "upgrade")


@pytest.mark.parametrize(
    ("code", "marked"),
    [
        ("post_deploy = True\n", True),
        ("post_deploy: bool = True\n", True),
        ("post_deploy = False\n", False),
        ("post_deploy = maybe()\n", False),
        ("def upgrade():\n    post_deploy = True\n", False),
    ],
)
def test_the_mark_is_read_from_the_top_of_the_file(tmp_path, monkeypatch, code, marked):
    assert facts_of(tmp_path, monkeypatch, code).post_deploy is marked


@pytest.mark.parametrize(
    ("body", "does_something"),
    [
        ("pass", False),
        ("'''Nothing to do.'''", False),
        ("...", False),
        ("raise NotImplementedError", False),
        ("return", False),
        ("op.drop_table('t')", True),
    ],
)
def test_a_downgrade_that_does_nothing_is_none(tmp_path, monkeypatch, body, does_something):
    facts = facts_of(tmp_path, monkeypatch, f"def downgrade():\n    {body}\n")
    assert facts.has_downgrade is does_something
    assert not facts_of(tmp_path, monkeypatch, "x = 1\n").has_downgrade


@pytest.mark.parametrize(
    ("body", "says_why"),
    [
        ("raise RuntimeError('the old values are gone')", True),
        ("'''No way.'''\n    raise NotImplementedError(f'{revision} has no way back')", True),
        ("raise RuntimeError(REASON)", True),
        ("raise NotImplementedError", False),
        ("raise NotImplementedError()", False),
        ("raise RuntimeError(' ')", False),
        ("raise SystemExit(1)", False),
        ("pass", False),
        ("op.drop_table('t')\n    raise RuntimeError('not all of it')", False),
    ],
)
def test_a_downgrade_that_says_why_there_is_no_way_back_refuses(tmp_path, monkeypatch, body, says_why):
    facts = facts_of(tmp_path, monkeypatch, f"def downgrade():\n    {body}\n")
    assert facts.refuses_downgrade is says_why
    assert not facts_of(tmp_path, monkeypatch, "x = 1\n").refuses_downgrade


def test_more_calls_than_are_told_are_cut_and_that_is_told(tmp_path, monkeypatch):
    facts = facts_of(tmp_path, monkeypatch, "def upgrade():\n" + "    run()\n" * (CALLS + 1))
    assert (len(facts.calls), facts.is_cut) == (CALLS, True)
    whole = facts_of(tmp_path, monkeypatch, "def upgrade():\n" + "    run()\n" * CALLS)
    assert (len(whole.calls), whole.is_cut) == (CALLS, False)


@pytest.mark.parametrize(
    "content", [b"def upgrade(:\n", b"x = '\x00'\n", b"\xff\xfe\n", b"# coding: nonsense\n"]
)
def test_a_file_that_is_no_source_has_no_facts_but_its_path(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a1.py").write_bytes(content)
    facts = file_facts(str(tmp_path / "a1.py"), "upgrade")
    assert (facts.path, facts.calls) == ("a1.py", ())
    assert file_facts(str(tmp_path / "absent.py"), "upgrade").path == "absent.py"


def test_a_file_in_another_encoding_is_read_as_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a1.py").write_bytes("# coding: latin-1\ndef upgrade():\n    run('é')\n".encode("latin-1"))
    (call,) = file_facts(str(tmp_path / "a1.py"), "upgrade").calls
    assert call.arguments[0].text == "'é'"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("c.execute(sa.text('SELECT :a'), {'a': 's3cret'})", ["sa.text('SELECT :a')", "..."]),
        (
            "c.execute(sa.text('SELECT :a').bindparams(a='s3cret'))",
            ["sa.text('SELECT :a').bindparams(a=...)"],
        ),
        ("op.bulk_insert(kinds, [{'name': 's3cret'}])", ["kinds", "..."]),
        ("op.execute(kinds.insert().values(name='s3cret'))", ["kinds.insert().values(name=...)"]),
        ("op.execute('SELECT 1', execution_options=options)", ["'SELECT 1'", "options"]),
        ("op.\uff45xecute(text, 's3cret')", ["text", "..."]),
    ],
)
def test_values_beside_a_statement_are_not_told(written, told):
    found = calls(f"def upgrade():\n    {written}\n")
    assert [argument.text for argument in found[0].arguments] == told
    assert "s3cret" not in repr(found)
