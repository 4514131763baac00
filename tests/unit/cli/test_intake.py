"""From documents and options to what a run needs."""

import base64
import io
import sys

import pytest
import yaml

from headway_cli.documents import read_documents
from headway_cli.here import parse_urls
from headway_cli.intake import Options, take_in
from headway_cli.problems import BadInput
from support.command_line import resource, secret


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "alembic.ini").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return tmp_path


def taken(folder, text, **options):
    (folder / "shop.yaml").write_text(text)
    return take_in(read_documents([str(folder / "shop.yaml")]), Options(**options))


def test_the_project_is_where_the_configuration_is_beside_the_file(project):
    assert taken(project, resource({"main": {}})).project == project


def test_the_project_is_above_the_file_when_the_configuration_is_below_the_working_directory(project):
    (project / "deploy").mkdir()
    (project / "deploy" / "alembic.ini").touch()
    alembic = {"config": "deploy/alembic.ini", "workingDir": "/app"}
    assert taken(project / "deploy", resource({"main": {}}, alembic=alembic)).project == project


@pytest.mark.parametrize("beside", ["[tool.alembic]\n", "[[tool.alembic.post_write_hooks]]\n"])
def test_the_project_is_where_a_pyproject_configures_alembic_when_there_is_no_other_file(tmp_path, beside):
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{beside}")
    assert taken(tmp_path, resource({"main": {}})).project == tmp_path
    assert taken(tmp_path, resource({"main": {}}), project=str(tmp_path)).project == tmp_path


def test_an_alembic_ini_elsewhere_is_taken_before_a_pyproject(project):
    (project / "deploy").mkdir()
    (project / "deploy" / "pyproject.toml").write_text("[tool.alembic]\n")
    (project / "elsewhere" / "alembic.ini").touch()
    assert taken(project / "deploy", resource({"main": {}})).project == project / "elsewhere"


def test_a_pyproject_that_says_nothing_of_alembic_is_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(
        BadInput, match=r"there is no alembic.ini, nor a pyproject.toml with \[tool.alembic\]"
    ):
        taken(tmp_path, resource({"main": {}}))


def test_the_project_in_the_image_becomes_this_folder_and_this_interpreter(project):
    alembic = {"workingDir": "/app", "config": "/app/alembic.ini"}
    intake = taken(project, resource({"main": {"alembic": {"config": "/app/alembic.ini"}}}, alembic=alembic))
    wanted = {"config": "alembic.ini", "workingDir": str(project), "python": sys.executable}
    assert intake.resource["spec"]["alembic"] == wanted | {"section": "alembic"}
    assert intake.resource["spec"]["databases"][0]["alembic"] == {"config": "alembic.ini"}


def test_a_given_url_takes_the_place_of_any_source(project):
    source = {"credentialsFrom": {"secretRef": {"name": "pg"}, "keys": "Crunchy"}, "urlEnv": "DATABASE_URL"}
    intake = taken(project, resource({"main": source, "audit": {}}), urls={"main": "postgresql://h/main"})
    main, audit = intake.resource["spec"]["databases"]
    reference = main["urlFrom"]["secretKeyRef"]
    assert intake.sources.secrets[reference["name"]][reference["key"]] == "postgresql://h/main"
    assert main["urlEnv"] == "DATABASE_URL"
    assert "credentialsFrom" not in main
    assert audit == {"name": "audit"}


def test_secrets_come_plain_or_in_base64_and_plain_wins(project):
    document = yaml.safe_load(secret("pg", user="plain"))
    document["data"] = {"user": base64.b64encode(b"coded").decode(), "host": base64.b64encode(b"h").decode()}
    intake = taken(project, resource({"main": {}}) + "---\n" + yaml.safe_dump(document))
    assert intake.sources.secrets == {"pg": {"user": "plain", "host": "h"}}


def test_documents_of_other_kinds_are_named_as_left_alone(project):
    other = "---\nkind: Deployment\nmetadata: {name: web}\n"
    assert taken(project, resource({"main": {}}) + other).skipped == ("Deployment web",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "shop.yaml: holds no document\n  Write a DatabaseMigration into it."),
        (secret("pg"), "there is no DatabaseMigration, only: Secret\n  Add a document of kind DatabaseMigration"),
        ("metadata:\n\tname: shop\n", "(line 2, column 1)\n  Indent with spaces: YAML allows no tab there."),
        ("metadata:\n  name: shop\n labels: {}\n", "the fields of one object begin in the same column"),
        ("stringData: {uri: s3cret, uri: s3cret}", "the field uri is there twice (line 1, column 27)"),
        ("[1]", "shop.yaml: is not an object"),
        (resource({"main": {}}) + "---\n" + resource({"main": {}}), "there are 2 DatabaseMigrations"),
        (resource({"main": {}}).replace("v1alpha1", "v9"), "apiVersion: is 'headway.dev/v9'"),
        (resource({"main": {}}).replace("name: shop", "name: Shop!"), "'Shop!' is no name of a resource"),
        (resource({"main": {}}) + "---\n" + secret("pg") + "---\n" + secret("pg"), "is there twice: pg"),
        ("kind: Secret\nmetadata: {name: pg}\nstringData: {port: 5432}\n---\n" + resource({"main": {}}),
         "stringData.port: should be a string\n  Put the value in quotes."),
        ("kind: Secret\nmetadata: {name: pg}\ndata: {uri: 'a:b'}\n---\n" + resource({"main": {}}),
         "data.uri: is not text in base64\n  Write plain text under stringData"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(project, text, sentence):
    with pytest.raises(BadInput) as refused:
        taken(project, text)
    assert sentence in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_document_is_named_when_a_file_has_several(project):
    with pytest.raises(BadInput) as refused:
        taken(project, secret("pg") + "---\n" + resource({"main": {"nome": 1}}))
    assert "shop.yaml (document 2): spec.databases[0].nome" in str(refused.value)


def test_a_folder_is_all_its_yaml_files(project):
    (project / "a.yaml").write_text(secret("a"))
    (project / "b.yml").write_text(secret("b"))
    (project / "c.txt").write_text("no")
    assert [document.name for document in read_documents([str(project)])] == ["a", "b"]


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(secret("pg")))
    (document,) = read_documents(["-"])
    assert (document.where, document.file, document.name) == ("standard input", None, "pg")


def test_urls_are_read_by_database_with_everything_after_the_first_equals_sign():
    assert parse_urls(["main=postgresql://u:p@h/x?a=b"], {}) == {"main": "postgresql://u:p@h/x?a=b"}


def test_a_url_may_come_from_an_environment_variable_where_nobody_sees_it():
    assert parse_urls(["main=env:DB"], {"DB": "postgresql://u:p@h/x"}) == {"main": "postgresql://u:p@h/x"}
    with pytest.raises(BadInput, match="environment variable DB holds no URL"):
        parse_urls(["main=env:DB"], {"DB": ""})


@pytest.mark.parametrize("texts", [["postgresql://u:word@h/x?a=b"], ["main"], ["a=b://word", "a=b://word"]])
def test_urls_that_cannot_be_read_are_not_repeated(texts):
    with pytest.raises(BadInput) as refused:
        parse_urls(texts, {})
    assert "word" not in str(refused.value)
