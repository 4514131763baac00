"""What people see of operations under plain `alembic upgrade`, with the `alembic.ini` of Alembic's own templates."""

from __future__ import annotations

import re

import pytest

from support.plain import plain_alembic
from support.projects import from_template

FILL = "from headway import backfill\nbackfill('users', {'n': '1'}, 'n IS NULL', analyze=False)"
IMPORT = "from headway import backfill\n"
"""Before `fileConfig`, which switches off the loggers that it finds."""


@pytest.fixture
def users(database):
    database.execute(
        "CREATE TABLE users (id bigint PRIMARY KEY, n int);"
        "INSERT INTO users SELECT i FROM generate_series(1, 2000) i; ANALYZE users"
    )
    return database


def upgraded(project, database, driver="psycopg", **environment):
    run = plain_alembic(project, database.url(driver), **environment)
    assert run.returncode == 0, run.stderr
    return run.stderr.splitlines()


def of_headway(lines):
    return [line for line in lines if "headway" in line.lower() or "ackfill" in line]


@pytest.mark.parametrize("first", ["", IMPORT], ids=["", "env.py imports headway before"])
@pytest.mark.parametrize(("template", "driver"), [("generic", "psycopg"), ("async", "asyncpg")])
def test_the_reason_of_the_way_and_the_record_are_shown_once(tmp_path, users, template, driver, first):
    project = from_template(tmp_path, template).revision("a1", FILL)
    project.write_env(first + project.env.read_text())
    begun, ended = of_headway(upgraded(project, users, driver))
    assert begun == (
        "INFO  [alembic.headway] Backfill of users.n begins (about 2,000 rows in all). Strategy striped: "
        "updated rows no longer meet the condition; in 16 stripes, so that new versions fit beside the old ones."
    )
    assert re.match(
        r"INFO  \[alembic\.headway\] Backfill of users is complete: 2,000 rows in \d+s, [\d,]+ rows/s; WAL .*, "
        r"batches [\d,]+/[\d,]+ ms \(p50/p99\)",
        ended,
    )


def test_a_configuration_that_hides_alembic_s_lines_hides_them_too_and_shows_warnings(tmp_path, users):
    project = from_template(tmp_path).revision(
        "a1", "from headway import in_environment\nif in_environment('production'): pass\n" + FILL
    )
    ini = tmp_path / "alembic.ini"
    ini.write_text(ini.read_text().replace("level = INFO", "level = WARNING"))
    (line,) = of_headway(upgraded(project, users, ENVIRONMENT="test"))
    assert line.startswith("WARNI [alembic.headway] Skipped, because it is for production"), line
