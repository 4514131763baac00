"""The operations of the library in every row of the matrix: old Alembic, old SQLAlchemy, each driver and server."""

from __future__ import annotations

import pytest

from headway_contract.exit_codes import ExitCode
from support.matrix.worlds import World

ROWS = 700
OPERATIONS = {
    "users": f"""
        op.create_table('users', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(50)),
            sa.Column('boss', sa.Integer))
        op.bulk_insert(sa.table('users', sa.column('name')), [{{'name': f'Ada{{n}}'}} for n in range({ROWS})])
    """,
    "filled": "op.add_column('users', sa.Column('upper_name', sa.String(50)))",
    "backfill": "headway.backfill('users', {'upper_name': 'upper(name)'}, 'upper_name IS NULL', batch_rows=100)",
    "not_null": "op.set_not_null_online('users', 'upper_name', existing_type=sa.String(50))",
    "check": "headway.add_check_online('positive', 'users', 'boss > 0')",
    "key": "headway.add_foreign_key_online('itself', 'users', 'users', ['boss'], ['id'])",
    "boss_index": "headway.create_index_concurrently('by_boss', 'users', ['boss'])",
    "index": "headway.create_index_concurrently('by_name', 'users', ['name'])",
    "column": """
        headway.add_column_with_backfill(
            'users', sa.Column('lower_name', sa.String(50), nullable=False), 'lower(name)')
    """,
}
ON_POSTGRES = {
    "stop": "headway.stop_filling_column('users', 'lower_name')",
    "expand": "headway.rename_column_expand('users', 'name', 'full_name')",
    "contract": "headway.rename_column_contract('users', 'name', 'full_name')",
    "type": "headway.change_type_expand('users', 'id', sa.BigInteger())",
    "typed": "headway.change_type_contract('users', 'id', sa.BigInteger())",
}


@pytest.fixture
def place(servers, row):
    return servers.place(row)


def test_each_operation_does_its_work(row, tmp_path, place):
    world = World(row, tmp_path)
    project = world.project()
    operations = {**OPERATIONS, **(ON_POSTGRES if row.is_postgres else {})}
    for name, upgrade in operations.items():
        project.revision(name, upgrade, mark="import headway")
    run = world.run(project, place)
    assert run.exit_code == ExitCode.SUCCEEDED, run.stderr
    assert run.result.applied == tuple(operations)
    name = "full_name" if row.is_postgres else "name"
    right = f"upper_name = upper({name}) AND lower_name = lower({name})"
    assert place.rows(f"SELECT count(*) FROM users WHERE {right}") == [(ROWS,)]
    again = world.run(project, place)
    assert (again.exit_code, again.result.applied_count) == (ExitCode.SUCCEEDED, 0), again.stderr
