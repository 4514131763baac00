"""MariaDB: DDL commits by itself there, and the lock is one of the server's names."""

import pymysql
import pytest
from sqlalchemy.engine import make_url

from support.projects import from_template
from support.runner import database_request, migrate, request_for, start
from support.system_servers import mariadb


@pytest.fixture
def shop(public_tmp_path):
    """A project of two revisions and an empty MariaDB database."""
    project = from_template(public_tmp_path / "project", "generic")
    project.revision("a1", "op.execute('CREATE TABLE users (id int)')")
    project.revision("a2", "op.execute('SELECT SLEEP(1)')\nop.execute('INSERT INTO users VALUES (1)')")
    folder = public_tmp_path / "mariadb"
    folder.mkdir()
    with mariadb(folder) as url:
        yield project, url


def rows(url: str, query: str) -> tuple:
    """The rows of a query in a session of its own."""
    parts = make_url(url)
    with pymysql.connect(host=parts.host, port=parts.port, user="root", database="shop") as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()


def test_a_project_goes_to_head_on_mariadb(shop):
    project, url = shop
    run = migrate(project, url)
    assert run.result.to_revision == ("a2",), run.stderr
    assert rows(url, "SELECT version_num FROM alembic_version") == (("a2",),)


def test_of_two_runners_at_once_on_mariadb_exactly_one_applies(shop):
    project, url = shop
    request = request_for(database_request())
    both = [start(project, request, {"main": url}) for _ in range(2)]
    counts = sorted(run.finish().result.applied_count for run in both)
    assert counts == [0, 2]
    assert rows(url, "SELECT count(*) FROM users") == ((1,),)
