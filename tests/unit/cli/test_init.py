"""`headway init`: what it finds in a project, what it writes, and what it refuses."""

from __future__ import annotations

import pytest
import yaml

from headway_cli.__main__ import main
from headway_cli.admission import broken_rules
from headway_cli.schema import checked
from support.first_projects import OPTIONS, SHAPES
from support.projects import from_template

FILE = "databasemigration.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "My_Shop"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def made(folder, capsys):
    """What is written for the project that is there."""

    def init(*arguments):
        code = main(["init", *arguments])
        told = capsys.readouterr()
        assert code == 0, told.err
        return yaml.safe_load((folder / FILE).read_text())["spec"]

    return init


@pytest.fixture
def refused(folder, capsys):
    """What is said where nothing is written."""

    def init(*arguments):
        before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        assert main(["init", *arguments]) == 2
        assert {file: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
        return capsys.readouterr().err

    return init


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_written_has_the_definition_s_schema_and_keeps_its_rules(folder, capsys, shape):
    SHAPES[shape](folder)
    assert main(["init", *OPTIONS.get(shape, ())]) == 0
    told, written = capsys.readouterr().out, (folder / FILE).read_text()
    assert not broken_rules(checked(yaml.safe_load(written), FILE), FILE)
    changes = [number for number, line in enumerate(written.splitlines(), 1) if "# CHANGE:" in line]
    assert f"To change before it goes to a cluster: lines {', '.join(map(str, changes))}." in told
    assert f"\nNext: headway plan {FILE} --url " in told


def test_a_stock_project_needs_an_image_and_a_secret_and_nothing_else(folder, made):
    SHAPES["generic"](folder)
    spec = made()
    image = "registry.example.com/my-shop:CHANGE-ME"
    source = {"secretKeyRef": {"name": "my-shop-main", "key": "uri"}}
    assert spec == {"image": image, "databases": [{"name": "main", "urlFrom": source}]}
    assert yaml.safe_load((folder / FILE).read_text())["metadata"] == {"name": "my-shop"}


def test_what_is_given_is_written_and_asked_for_no_more(folder, made):
    SHAPES["generic"](folder)
    spec = made("--image", "acme/shop:1.2", "--secret", "shop-db", "--secret-key", "url")
    assert spec["image"] == "acme/shop:1.2"
    assert spec["databases"][0]["urlFrom"]["secretKeyRef"] == {"name": "shop-db", "key": "url"}
    assert "CHANGE" not in (folder / FILE).read_text()


def test_the_distribution_s_name_is_the_resource_s_and_another_file_is_named(folder, made):
    SHAPES["pyproject_alone"](folder)
    assert made()["alembic"] == {"config": "pyproject.toml"}
    assert yaml.safe_load((folder / FILE).read_text())["metadata"] == {"name": "acme-shop-api"}


def test_a_file_below_the_folder_is_named_as_seen_from_there(folder, made):
    SHAPES["below"](folder)
    assert made("--config", "db/alembic.ini")["alembic"] == {"config": "db/alembic.ini"}


def test_each_database_of_the_template_for_several_has_an_entry_and_one_secret_a_key_for_each(folder, made):
    SHAPES["multidb"](folder)
    found = made("--secret", "shop-db")["databases"]
    keys = {one["name"]: one["urlFrom"]["secretKeyRef"]["key"] for one in found}
    assert keys == {"engine1": "engine1", "engine2": "engine2"}


def test_each_section_that_is_a_project_of_its_own_is_a_database(folder, made):
    SHAPES["sections"](folder)
    spec = made()
    assert [(one["name"], one["alembic"]["section"]) for one in spec["databases"]] == [
        (name, name) for name in ("main", "analytics", "audit")
    ]
    assert {one["urlEnv"] for one in spec["databases"]} == {"DATABASE_URL"}
    assert "alembic" not in spec


def test_what_stands_in_default_makes_no_project_of_logging_or_of_a_listed_database(folder, made):
    SHAPES["multidb"](folder)
    file = folder / "alembic.ini"
    file.write_text("[DEFAULT]\nscript_location = %(here)s/migrations\n\n" + file.read_text())
    assert [one["name"] for one in made()["databases"]] == ["engine1", "engine2"]
    file.write_text(file.read_text().replace("[alembic]", "[shop]").replace("databases = ", "unused = "))
    names = {one["name"] for one in made("--force")["databases"]}
    assert names == {"shop", "engine1", "engine2"}


def test_one_section_may_be_asked_for(folder, made):
    SHAPES["sections"](folder)
    spec = made("-n", "audit")
    assert spec["alembic"] == {"section": "audit"}
    assert [one["name"] for one in spec["databases"]] == ["main"]


def test_an_env_that_loops_over_databases_gets_each_branch_a_target_and_every_job_all_urls(folder, made):
    SHAPES["branches"](folder)
    spec = made()
    found = [(one["name"], one["target"], one["urlFrom"]["secretKeyRef"]["key"]) for one in spec["databases"]]
    assert found == [
        ("main", "main@head", "MAIN_URL"),
        ("analytics", "analytics@head", "ANALYTICS_URL"),
        ("audit", "audit@head", "AUDIT_URL"),
    ]
    assert spec["job"]["envFrom"] == [{"secretRef": {"name": "my-shop-databases", "optional": True}}]


def test_several_heads_of_one_database_are_all_taken_and_told(folder, made):
    SHAPES["two_heads"](folder)
    assert "target" not in made()["databases"][0]
    assert "2 heads (labels: billing); target heads takes all" in (folder / FILE).read_text()


def test_flask_migrate_runs_by_flask_s_own_command(folder, made):
    SHAPES["flask"](folder)
    spec = made()
    assert spec["command"] == ["flask", "db", "upgrade"]
    assert "alembic" not in spec


def test_revisions_that_cannot_be_read_here_are_told_and_the_rest_is_written(folder, made):
    from_template(folder).revision("a1", functions="import nowhere_to_be_found\n")
    assert made()["databases"][0]["name"] == "main"
    assert "No module named 'nowhere_to_be_found'" in (folder / FILE).read_text()


def test_standard_output_has_the_resource_alone(folder, capsys):
    from_template(folder).revision("a1", functions="print('from the revision')\n")
    assert main(["init", "-o", "-"]) == 0
    told = capsys.readouterr()
    assert yaml.safe_load(told.out)["kind"] == "DatabaseMigration"
    assert "from the revision" in told.err
    assert "Next: headway plan" in told.err
    assert not (folder / FILE).exists()


def test_a_file_that_is_there_is_written_over_only_with_force(folder, refused, made):
    SHAPES["generic"](folder)
    (folder / FILE).write_text("mine")
    assert "is there already; it was not touched\n  Write over it with --force" in refused()
    assert made("--force")["image"]


def test_a_project_elsewhere_is_named_in_the_next_command(folder, capsys):
    SHAPES["generic"](folder / "back end")
    assert main(["init", "back end", "-o", "shop.yaml"]) == 0
    told = capsys.readouterr().out
    assert "\nNext: headway plan shop.yaml --project 'back end' --url main=env:MAIN_URL\n" in told


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        pytest.param("", "", "there is no alembic.ini here, nor a [tool.alembic]", id="no project"),
        pytest.param("alembic.ini", "[tox]\na = 1\n", "it is no Alembic project", id="another program's"),
        pytest.param(
            "alembic.ini", "url = s3cret\n[alembic]\n", "above the first section (line 1)", id="no head"
        ),
        pytest.param("alembic.ini", "[alembic]\ns3cret\n", "its syntax is wrong (line 2)", id="no setting"),
        pytest.param("alembic.ini", "[alembic]\na=1\na=s3cret\n", "is there twice (line 3)", id="twice"),
        pytest.param("pyproject.toml", "[tool.alembic]\nscript_location = s3cret\n", "syntax", id="no toml"),
        pytest.param(
            "alembic.ini",
            "[alembic]\nscript_location = m\ndatabases = Main_DB\n",
            "'Main_DB' cannot be the name of a database in a resource",
            id="a name",
        ),
    ],
)
def test_what_is_no_project_is_refused_in_words_without_a_line_of_the_file(folder, refused, file, text, what):
    if file:
        (folder / file).write_text(text)
    told = refused()
    assert what in told
    assert "s3cret" not in told
    assert told.count("\n  ") == 1, "a sentence says what to do"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("nowhere",), "there is no such file or folder"),
        (("-c", "other.ini"), "there is no such file"),
        (("-n", "other"), "no such section with a script_location; with one it has: alembic"),
        (("--image", "acme/shop:latest"), "image has no tag, or the tag latest"),
        (("--secret", "No Name"), "'No Name' is no name of a Secret"),
        (("-o", "nowhere/file.yaml"), "cannot be written"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(folder, refused, arguments, what):
    SHAPES["generic"](folder)
    assert what in refused(*arguments)


def test_one_key_of_one_secret_for_several_databases_is_refused(folder, refused):
    SHAPES["multidb"](folder)
    told = refused("--secret", "shop-db", "--secret-key", "uri")
    assert "one key of one Secret cannot hold the URLs of 2 databases" in told
