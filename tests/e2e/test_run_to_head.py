"""`headway run` as a user meets it: real processes, a real PostgreSQL, no cluster."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from support.command_line import HEADWAY, Headway, resource, secret
from support.projects import from_template

NAMES = ("first", "second", "third")
TABLES = ("users", "orders")


@pytest.fixture
def databases(make_database):
    return {name: make_database(name) for name in NAMES}


def write_resource(folder, databases, **spec):
    """The resource and its Secrets in one file, beside the project."""
    sources = {name: {"urlFrom": {"secretKeyRef": {"name": name, "key": "uri"}}} for name in databases}
    secrets = [secret(name, uri=database.url()) for name, database in databases.items()]
    (folder / "shop.yaml").write_text("---\n".join([resource(sources, **spec), *secrets]))


def versions(database):
    return [version for (version,) in database.rows("SELECT version_num FROM alembic_version")]


def break_for(project, name):
    project.revision(
        "broken",
        f"if '_{name}_' in op.get_bind().engine.url.database:\n"
        "    op.execute('ALTER TABLE no_such_table ADD COLUMN x int')",
    )


def test_three_databases_go_to_head_in_order_in_plain_lines_and_only_once(tmp_path, databases):
    from_template(tmp_path).tables(*TABLES)
    write_resource(tmp_path, databases)
    run = Headway(tmp_path, "run", "-f", "shop.yaml", environment={"COLUMNS": "40"})
    assert run.wait() == 0, run.out + run.err
    for database in databases.values():
        assert versions(database) == ["orders"]
        assert database.tables() >= set(TABLES)
    assert "3 databases at the target, 6 revisions applied" in run.out
    assert "\x1b" not in run.out
    words = told(run)
    assert words[1] == "plan: 6 revisions to apply in 3 databases"
    assert words[2] == "first: started"
    assert words[3].startswith("first: applied 1/2 users (")
    assert words[5] == "first: done: 2 revisions applied, now at orders"
    assert [line.split(":")[0] for line in words if " done: " in line] == list(NAMES)

    again = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert again.wait() == 0
    assert told(again)[1] == "plan: 0 revisions to apply"
    assert not [line for line in told(again) if line.endswith(": started")]


def told(run):
    """The lines with a time, without it."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (.*)"
    return [found[1] for line in run.out.splitlines() if (found := re.match(pattern, line))]


def test_on_a_terminal_there_is_a_table(tmp_path, make_database):
    from_template(tmp_path).tables(*TABLES)
    write_resource(tmp_path, {"main": make_database()})
    screen, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40", "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(
        [HEADWAY, "run", "-f", "shop.yaml"], cwd=tmp_path, env=environment, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = b"".join(iter(lambda: read(screen), b"")).decode()
    assert run.wait() == 0, shown
    os.close(screen)
    last = shown.split("\x1b[2K")[-1]
    assert re.search(r"✓\S* +main.*2/2.*orders", last)
    assert "1 database at the target, 2 revisions applied" in last


def read(screen):
    """What is on it now; nothing once the program has ended."""
    try:
        return os.read(screen, 65536)
    except OSError:  # EIO: nobody holds the other end any more
        return b""


def test_json_output_ends_with_the_result(tmp_path, databases):
    from_template(tmp_path).tables(*TABLES)
    write_resource(tmp_path, databases)
    run = Headway(tmp_path, "run", "-f", "shop.yaml", "--output", "json")
    assert run.wait() == 0
    kinds = [item["kind"] for item in run.items]
    assert kinds[:5] == ["RunStarted", "Planned", "DatabaseStarted", "RevisionStarted", "RevisionApplied"]
    assert run.items[-1]["result"] == "Succeeded"
    assert [one["current"] for one in run.items[-1]["databases"]] == ["orders"] * 3


def test_urls_of_the_command_line_replace_the_sources(tmp_path, databases):
    from_template(tmp_path).tables(*TABLES)
    (tmp_path / "shop.yaml").write_text(resource({"first": {}, "second": {}}))
    urls = [f"--url={name}={databases[name].url()}" for name in ("first", "second")]
    run = Headway(tmp_path, "run", "-f", "shop.yaml", *urls)
    assert run.wait() == 0, run.out + run.err
    assert versions(databases["second"]) == ["orders"]
    assert versions_or_none(databases["third"]) is None


def versions_or_none(database):
    return versions(database) if "alembic_version" in database.tables() else None


def test_the_environment_reaches_the_revisions(tmp_path, make_database):
    database = make_database()
    from_template(tmp_path).revision(
        "environment", "import os\nop.execute(f\"CREATE TABLE is_{os.environ['ENVIRONMENT']} ()\")"
    )
    write_resource(tmp_path, {"main": database}, environment="production")
    run = Headway(tmp_path, "run", "-f", "shop.yaml", "--environment", "staging")
    assert run.wait() == 0, run.out
    assert "is_staging" in database.tables()


def test_a_failure_in_the_second_stops_before_the_third(tmp_path, databases):
    break_for(from_template(tmp_path).tables(*TABLES), "second")
    write_resource(tmp_path, databases)
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 1
    assert versions(databases["first"]) == ["broken"]
    assert versions(databases["second"]) == ["orders"]
    assert versions_or_none(databases["third"]) is None
    assert 'relation "no_such_table" does not exist' in run.out
    assert "Correct the revision" in run.out
    assert "  headway run -f shop.yaml" in run.out


def test_a_failure_in_the_second_lets_the_third_go_on_when_asked_to(tmp_path, databases):
    break_for(from_template(tmp_path).tables(*TABLES), "second")
    write_resource(tmp_path, databases, strategy={"onFailure": "Continue"})
    run = Headway(tmp_path, "run", "-f", "shop.yaml", "--output", "json")
    assert run.wait() == 1
    phases = {one["name"]: one["phase"] for one in run.items[-1]["databases"]}
    assert phases == {"first": "Succeeded", "second": "Failed", "third": "Succeeded"}
    assert versions(databases["third"]) == ["broken"]


def test_the_log_of_a_failure_is_shown_and_kept_without_the_password(tmp_path, make_database):
    database = make_database()
    from_template(tmp_path).revision(
        "talkative", "raise ValueError('it was ' + op.get_bind().engine.url.password)"
    )
    write_resource(tmp_path, {"main": database})
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 1
    assert "| headway: ValueError: it was ***" in run.out
    password = database.address.split("@")[0].rsplit(":", 1)[1]
    assert password not in run.out + run.err
    log = Path(re.search(r"The end of the log (\S+):", run.out)[1])
    assert "ValueError: it was" in log.read_text()


def test_a_wrong_password_is_told_without_it(tmp_path, make_database):
    database = make_database()
    from_template(tmp_path).tables("users")
    url = database.url().replace(":", ":wrong", 2).replace(":wrong//", "://")
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    run = Headway(tmp_path, "run", "-f", "shop.yaml", f"--url=main={url}")
    assert run.wait() == 1
    assert "AuthenticationFailed" in run.out
    assert "Its URL was given with --url main=…. Correct the user or the password" in run.out
    password = database.address.split("@")[0].rsplit(":", 1)[1]
    assert password not in run.out
    assert "--url=main=***" in run.out


def test_all_databases_at_once_when_the_strategy_says_so(tmp_path, databases):
    from_template(tmp_path).tables(*TABLES)
    write_resource(tmp_path, databases, strategy={"maxParallel": 3})
    run = Headway(tmp_path, "run", "-f", "shop.yaml", "--output", "json")
    assert run.wait() == 0
    kinds = [item["kind"] for item in run.items if item["kind"].startswith("Database")]
    assert kinds[:3] == ["DatabaseStarted"] * 3
    assert [one["phase"] for one in run.items[-1]["databases"]] == ["Succeeded"] * 3
