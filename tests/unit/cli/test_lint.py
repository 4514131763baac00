"""``headway lint`` as CI runs it: what it prints in each form, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headway_cli.__main__ import main
from headway_cli.lint_reports import SARIF_LEVELS
from headway_operator.lint.ordered import NAMES

REVISION = '''"""{name}"""
from alembic import op

revision = "{name}"
down_revision = {down}
{more}

def upgrade():
    op.create_index(
        "idx_{name}", "users", ["email"]
    )
    op.drop_column("users", "c{name}")
    op.execute("CREATE TYPE t{name} AS ENUM ('a')")


def downgrade():
    op.execute("DROP TYPE t{name}")
'''
INDEX = "index_is_created_without_concurrently"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Two revisions, with the same three things in each; the working directory is its folder."""
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (tmp_path / "migrations" / "env.py").write_text("raise RuntimeError('is never run')\n")
    (versions / "r1.py").write_text(REVISION.format(name="r1", down=None, more=""))
    (versions / "r2.py").write_text(REVISION.format(name="r2", down='"r1"', more=""))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(capsys, *words: str) -> tuple[int, str]:
    code = main(["lint", *words])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_a_finding_is_shown_with_its_line_its_reason_and_the_safe_form(project, capsys):
    code, out = lint(capsys, "--since", "r1")
    assert code == 1
    assert out.startswith(
        f"migrations/versions/r2.py:9: Error {INDEX}\n"
        "  The index idx_r2 on users is built without CONCURRENTLY. "
        "Whoever writes to users waits until it is built.\n"
        "      9 |     op.create_index(\n"
        "        |     ^^^^^^^^^^^^^^^^\n"
        '     10 |         "idx_r2", "users", ["email"]\n'
        "     11 |     )\n"
        "  Use `headway.create_index_concurrently('idx_r2', 'users', …)`"
    )
    assert out.endswith("1 revision: 1 error, 1 warning, 1 notice. (1 notice not shown: --level notice)\n")


def test_the_level_decides_the_exit_code_and_whether_notices_are_shown(project, capsys):
    ignore = ("--ignore", INDEX)
    assert lint(capsys, *ignore)[0] == 0
    assert lint(capsys, *ignore, "--level", "warning")[0] == 1
    code, out = lint(capsys, *ignore, "--ignore", "column_is_dropped", "--level", "notice")
    assert code == 1
    assert "Notice enum_is_created" in out


def test_json_has_all_that_was_found(project, capsys):
    code, out = lint(capsys, "-o", "json")
    told = json.loads(out)
    assert (code, told["revisions"], len(told["findings"])) == (1, 2, 6)
    assert told["findings"][0] == {
        "rule": INDEX,
        "severity": "Error",
        "revision": "r1",
        "file": "migrations/versions/r1.py",
        "line": 9,
        "endLine": 11,
        "table": "users",
        "what": "The index idx_r1 on users is built without CONCURRENTLY.",
        "why": "Whoever writes to users waits until it is built.",
        "safe": told["findings"][0]["safe"],
    }


def test_sarif_names_each_rule_once_and_points_at_it_from_every_result(project, capsys):
    told = json.loads(lint(capsys, "-o", "sarif")[1])
    assert told["version"] == "2.1.0"
    (run,) = told["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert sorted(set(NAMES)) == rules
    assert len(run["results"]) == 6
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in SARIF_LEVELS.values()
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert Path(place["artifactLocation"]["uri"]).is_file()
        assert 1 <= place["region"]["startLine"] <= place["region"]["endLine"]


def test_github_gets_annotations_with_what_its_format_needs_escaped(project, capsys):
    versions = project / "migrations" / "versions"
    text = (versions / "r2.py").read_text()
    (versions / "r2.py").write_text(text.replace('"idx_r2"', '"100%"'))
    out = lint(capsys, "--since", "r1", "-o", "github")[1].splitlines()
    assert out[0].startswith(
        f"::error file=migrations/versions/r2.py,line=9,endLine=11,title={INDEX}::The index 100%25 on"
    )


def test_files_are_named_from_where_the_command_runs(project, capsys, monkeypatch):
    monkeypatch.chdir(project.parent)
    assert lint(capsys, project.name)[1].startswith(f"{project.name}/migrations/versions/r1.py:9: ")
    assert lint(capsys, f"{project.name}/alembic.ini")[0] == 1


def test_a_pyproject_is_a_configuration_too(project, capsys):
    (project / "alembic.ini").unlink()
    (project / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "migrations"\n')
    assert lint(capsys)[0] == 1


SEVERAL = """\
[DEFAULT]
path_separator = os
script_location = migrations
[main]
version_locations = migrations/main
[audit]
version_locations = migrations/audit
"""


@pytest.fixture
def several(project) -> Path:
    """The two revisions as two histories, each of a section of its own, and no [alembic]."""
    for name, revision in (("main", "r1"), ("audit", "r2")):
        (project / "migrations" / name).mkdir()
        file = project / "migrations" / name / f"{revision}.py"
        file.write_text(REVISION.format(name=revision, down=None, more=""))
    (project / "alembic.ini").write_text(SEVERAL)
    return project


def test_where_only_named_sections_are_projects_all_of_them_are_looked_at(several, capsys):
    code, out = lint(capsys)
    assert code == 1, out
    assert "migrations/main/r1.py:9: Error" in out
    assert "migrations/audit/r2.py:9: Error" in out
    assert "2 revisions: 2 errors" in out


def test_one_of_several_sections_can_be_named(several, capsys):
    code, out = lint(capsys, "--name", "audit")
    assert code == 1
    assert "1 revision: 1 error" in out
    assert "r1.py" not in out


def test_sections_with_the_same_files_tell_each_finding_once(several, capsys):
    (several / "alembic.ini").write_text(SEVERAL.replace("migrations/audit", "migrations/main"))
    assert "1 revision: 1 error" in lint(capsys)[1]


@pytest.mark.parametrize("words", [("--since", "r1"), ("--url", "postgresql://u:sesame1234@127.0.0.1:1/x")])
def test_what_is_about_one_history_wants_one_named_and_says_what_to_type(several, capsys, words):
    code, out = lint(capsys, *words)
    assert code == 2
    assert f"it has a history for each of main, audit, and {words[0]} is about one" in out
    assert f"headway lint --name main {words[0]} …" in out
    assert "sesame" not in out


def test_beside_alembic_other_sections_are_looked_at_by_their_names(several, capsys):
    own = SEVERAL.replace("[main]", "[main]\nscript_location = ./migrations")
    (several / "alembic.ini").write_text(f"{own}[alembic]\nversion_locations = migrations/audit\n")
    assert "1 revision: 1 error" in lint(capsys)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere: there is no such file or folder"),
        (("--config", "other.ini"), "other.ini: there is no such file"),
        (("--since", "r9"), "r9"),
        (("--ignore", "no_such_rule"), "there is no rule 'no_such_rule'"),
        (("--name", "nope"), "script_location"),
        (("--url", "env:NOT_SET"), "NOT_SET is not set"),
        (("--url", "nonsense"), "not a database URL"),
        (("--url", "postgresql://u:sesame1234@127.0.0.1:1/x"), "the database cannot be asked"),
    ],
)
def test_what_cannot_be_done_is_bad_input(project, capsys, words, said):
    code, out = lint(capsys, *words)
    assert code == 2
    assert said in out
    assert "sesame" not in out


def test_a_revision_file_that_python_cannot_read_is_named(project, capsys):
    (project / "migrations" / "versions" / "r3.py").write_text("revision = 'r3'\ndef upgrade(:\n")
    code, out = lint(capsys)
    assert code == 2
    assert "migrations/versions/r3.py, line 2" in out


def test_a_folder_without_a_project_is_bad_input(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lint(capsys) == (2, lint(capsys)[1])
    assert "there is no alembic.ini here" in lint(capsys)[1]


def test_the_rules_can_be_listed(capsys):
    code, out = lint(capsys, "--rules")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[::2]] == list(NAMES)
