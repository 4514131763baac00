"""What a plan tells with a MariaDB or MySQL behind it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from headway_contract.request import Mode
from support.projects import from_template
from support.runner import database_request, request_for, run_runner

BLOCK = 16_384
"""A page of InnoDB, the least that a table has."""


@pytest.fixture
def execute(mysql_url):
    engine = create_engine(mysql_url)

    def do(*statements):
        with engine.begin() as connection:
            return [connection.execute(text(one)) for one in statements]

    yield do
    engine.dispose()


def test_tables_that_are_touched_have_their_sizes_and_others_are_not_told(mysql_url, execute, tmp_path):
    execute(
        "CREATE TABLE digits (d int)",
        "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, note varchar(20), KEY (note))",
        "INSERT INTO orders (note) SELECT 'x' FROM digits a, digits b, digits c, digits d",
        "CREATE TABLE untouched (id int)",
        "CREATE VIEW seen AS SELECT id FROM orders",
    )
    execute("ANALYZE TABLE orders, digits, untouched")
    project = from_template(tmp_path / "project")
    project.revision(
        "a1",
        """
        op.execute("UPDATE orders SET note = 'y'")
        op.execute("UPDATE seen SET id = id")
        op.add_column("Digits".lower(), sa.Column("note", sa.String(20)))
        """,
    )
    request = request_for(database_request(), mode=Mode.PLAN, tells_facts=True)
    run = run_runner(project, request, {"main": mysql_url})
    assert run.exit_code == 0, run.stderr
    facts = run.result.plan.databases[0].facts
    assert (facts.dialect, facts.tables_known) == ("mysql", True)
    assert facts.server_version
    sizes = {(one.schema, one.name): (one.rows, one.bytes) for one in facts.tables}
    rows, size = sizes.pop(("", "orders"))
    assert 8_000 <= rows <= 12_000, "an estimate"
    assert size >= 10_000 * 20, "with its index"
    assert size % BLOCK == 0
    assert sizes == {("", "digits"): (10, BLOCK)}
    assert [one.sql.split()[0] for one in facts.revisions[0].statements] == ["UPDATE", "UPDATE", "ALTER"]
