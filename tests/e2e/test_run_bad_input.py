"""What `headway run` refuses before anything is touched: exit code 2 and what to write instead."""

import pytest

from headway_cli.__main__ import main
from support.command_line import Headway, resource, secret

URL = "postgresql://shop:hidden-word@127.0.0.1:1/main"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments):
    """What is printed when this is refused; the exit code is 2 and stdout stays empty."""
    assert main(["run", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hidden-word" not in printed.err
    return printed.err


def test_a_real_process_exits_with_2(tmp_path):
    run = Headway(tmp_path, "run", "-f", "nothing.yaml")
    assert run.wait() == 2
    assert run.err == "error: nothing.yaml: there is no such file\n  Correct the path.\n"


def test_an_unknown_field_with_the_one_that_was_meant(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {"urlform": {}}}))
    told = refused(capsys, "-f", "shop.yaml")
    assert "shop.yaml: spec.databases[0].urlform: there is no such field\n  Did you mean urlFrom?" in told


def test_a_field_one_level_too_high_with_its_place(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {}}, workingDir="/app"))
    told = refused(capsys, "-f", "shop.yaml")
    assert "shop.yaml: spec.workingDir: there is no such field\n  Did you mean alembic.workingDir?" in told


def test_several_mistakes_at_once(project, capsys):
    (project / "shop.yaml").write_text(resource({"Main": {}}, suspend="no", whenAhead="Wait"))
    told = refused(capsys, "-f", "shop.yaml")
    assert "spec.databases[0].name: 'Main' does not match" in told
    assert "spec.suspend: should be true or false, but is a string" in told
    assert "spec.whenAhead: 'Wait' is none of: Accept, Fail, Downgrade" in told


def test_an_admission_rule_in_the_words_of_the_resource(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {"dependsOn": ["audit"]}, "audit": {}}))
    told = refused(capsys, "-f", "shop.yaml")
    assert "spec.databases: dependsOn may name only databases that stand earlier in this list" in told


def test_a_secret_that_was_not_given(project, capsys):
    source = {"urlFrom": {"secretKeyRef": {"name": "shop-main", "key": "uri"}}}
    (project / "shop.yaml").write_text(resource({"main": source}))
    told = refused(capsys, "-f", "shop.yaml")
    assert "there is no Secret shop-main" in told
    assert "--url DATABASE=URL" in told


def test_a_secret_without_the_key(project, capsys):
    source = {"credentialsFrom": {"secretRef": {"name": "shop-main"}, "keys": "Crunchy"}}
    parts = secret("shop-main", host="127.0.0.1", dbname="main", username="shop", password="hidden-word")
    (project / "shop.yaml").write_text(resource({"main": source}) + "---\n" + parts)
    assert "the Secret shop-main has no key user" in refused(capsys, "-f", "shop.yaml")


def test_no_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    told = refused(capsys, "-f", "shop.yaml")
    assert f"there is no alembic.ini, nor a pyproject.toml with [tool.alembic], in {tmp_path}" in told
    assert "--project DIR" in told


def test_a_url_for_a_database_that_is_not_there(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {}}))
    told = refused(capsys, "-f", "shop.yaml", "--url", f"mian={URL}")
    assert "shop.yaml has no database 'mian'\n  Its databases are: main." in told


def test_a_url_without_its_database(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {}}))
    assert "--url: its value is not of the form DATABASE=URL" in refused(
        capsys, "-f", "shop.yaml", "--url", URL
    )


def test_a_suspended_resource_which_would_wait_for_ever(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {}}, suspend=True))
    told = refused(capsys, "-f", "shop.yaml", "--url", f"main={URL}")
    assert "would never start" in told
    assert "spec.suspend is true" in told


def test_an_interpreter_that_is_not_there(project, capsys):
    (project / "shop.yaml").write_text(resource({"main": {}}))
    assert "there is no program python9" in refused(capsys, "-f", "shop.yaml", "--python", "python9")


def test_a_file_with_a_secret_that_is_not_yaml_does_not_show_it(project, capsys):
    (project / "shop.yaml").write_text('stringData: {uri: "hidden-word\n')
    assert "shop.yaml: is not YAML" in refused(capsys, "-f", "shop.yaml")
