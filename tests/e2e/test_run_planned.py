"""`headway run` does what its plan showed, in however many attempts, and refuses what was changed meanwhile."""

from support.command_line import Headway, resource, secret
from support.projects import from_template

LOSES_ITS_CONNECTION_ONCE = """
import pathlib
first = pathlib.Path({mark!r})
if not first.exists():
    first.touch()
    op.execute("SELECT pg_terminate_backend(pg_backend_pid())")
op.execute("CREATE TABLE second ()")
"""
CHANGES_THE_NEXT_FILE = """
import pathlib
file = pathlib.Path(__file__).with_name("a2.py")
file.write_text(file.read_text() + "# another build")
"""


def test_a_relative_target_leads_no_further_when_its_job_is_tried_again(tmp_path, make_database):
    database = make_database()
    project = from_template(tmp_path).tables("first")
    project.revision("second", LOSES_ITS_CONNECTION_ONCE.format(mark=str(tmp_path / "mark")))
    project.tables("third", "fourth")
    spec = {"target": "+2", "retry": {"limit": 2, "backoffSeconds": 1}, "plan": {"mode": "Never"}}
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}, **spec))
    run = Headway(tmp_path, "run", "-f", "shop.yaml", f"--url=main={database.url()}")
    assert run.wait() == 0, run.out + run.err
    assert (tmp_path / "mark").exists()
    assert database.tables() == {"alembic_version", "first", "second"}
    assert database.rows("SELECT version_num FROM alembic_version") == [("second",)]


def test_a_file_that_changes_between_plan_and_run_stops_the_run_before_it_is_applied(tmp_path, make_database):
    databases = {name: make_database(name) for name in ("first", "second")}
    from_template(tmp_path).revision("a1", CHANGES_THE_NEXT_FILE).tables("a2")
    sources = {name: {"urlFrom": {"secretKeyRef": {"name": name, "key": "uri"}}} for name in databases}
    secrets = [secret(name, uri=database.url()) for name, database in databases.items()]
    (tmp_path / "shop.yaml").write_text("---\n".join([resource(sources), *secrets]))
    run = Headway(tmp_path, "run", "-f", "shop.yaml")
    assert run.wait() == 1
    said = " ".join((run.out + run.err).split())
    assert "second: failed: What would run now is not what the plan showed, so it was not run." in said
    assert "Run the same command again: it plans anew." in said
    assert databases["first"].tables() == {"alembic_version", "a2"}
    assert databases["second"].tables() == set()
