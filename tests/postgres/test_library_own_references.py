"""A column changes its type or name though a foreign key refers from its table to the table itself."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from headway.columns.wanted import CannotChange
from headway.operations.change_type import (
    change_type_contract,
    change_type_expand,
    change_type_undo,
)
from headway.operations.rename_column import (
    rename_column_contract,
    rename_column_expand,
    rename_column_undo,
)
from support.catalog import catalog
from support.revisions import run

BIG = sa.BigInteger()
TREE = """
    CREATE TABLE tree (id int PRIMARY KEY, parent_id int REFERENCES tree ON DELETE CASCADE);
    INSERT INTO tree SELECT i, nullif(i / 2, 0) FROM generate_series(1, 20) i
"""
ITSELF = """
    CREATE TABLE tree (id int PRIMARY KEY REFERENCES tree);
    INSERT INTO tree SELECT generate_series(1, 20)
"""
TENANTS = """
    CREATE TABLE tree (tenant int, id int, parent_id int, PRIMARY KEY (tenant, id));
    ALTER TABLE tree ADD FOREIGN KEY (tenant, parent_id) REFERENCES tree DEFERRABLE;
    INSERT INTO tree SELECT 1, i, 1 FROM generate_series(1, 20) i
"""
OF_ANOTHER = """
    CREATE TABLE roots (id int PRIMARY KEY);
    CREATE TABLE tree (id int PRIMARY KEY, parent_id int REFERENCES roots);
    INSERT INTO roots SELECT generate_series(1, 20);
    INSERT INTO tree SELECT i, i FROM generate_series(1, 20) i
"""


def expand(database, column, table="tree"):
    run(database.url(), lambda: change_type_expand(table, column, BIG))


def contract(database, column, table="tree"):
    run(database.url(), lambda: change_type_contract(table, column, BIG))


def undo(database, column, table="tree"):
    run(database.url(), lambda: change_type_undo(table, column))


def without_checkpoints(database):
    return catalog(database, "headway_backfill")


def plainly(make_database, tables, *statements):
    plain = make_database()
    plain.execute("; ".join((tables, *statements)))
    return without_checkpoints(plain)


@pytest.mark.parametrize(
    ("tables", "column"), [(TREE, "id"), (TREE, "parent_id"), (ITSELF, "id"), (TENANTS, "tenant")]
)
def test_the_column_grows_as_if_it_had_been_rewritten(database, make_database, tables, column):
    database.execute(tables)
    expand(database, column)
    expand(database, column)
    contract(database, column)
    expected = plainly(make_database, tables, f"ALTER TABLE tree ALTER {column} TYPE bigint")
    assert without_checkpoints(database) == expected


@pytest.mark.parametrize(("tables", "column"), [(ITSELF, "id"), (TENANTS, "tenant")])
def test_undo_leaves_nothing(database, tables, column):
    database.execute(tables)
    before = without_checkpoints(database)
    expand(database, column)
    undo(database, column)
    assert without_checkpoints(database) == before


def test_the_key_is_kept_in_every_step(database):
    database.execute(TENANTS)
    row = "INSERT INTO tree (tenant, id, parent_id) VALUES"
    for step in (lambda: None, lambda: expand(database, "tenant"), lambda: contract(database, "tenant")):
        step()
        database.execute(f"{row} (2, 1, 1); DELETE FROM tree WHERE tenant = 2")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            database.execute(f"{row} (3, 1, 2)")


@pytest.mark.parametrize(("tables", "column"), [(ITSELF, "id"), (TENANTS, "tenant")])
def test_a_new_name_comes_and_goes_again(database, tables, column):
    database.execute(tables)
    before = without_checkpoints(database)
    for step in (
        lambda: rename_column_expand("tree", column, "number"),
        lambda: rename_column_contract("tree", column, "number"),
        lambda: rename_column_expand("tree", "number", column),
        lambda: rename_column_undo("tree", column, "number"),
    ):
        run(database.url(), step)
    found = without_checkpoints(database)
    assert {kind: set(rows) for kind, rows in found.items()} == {
        kind: set(rows) for kind, rows in before.items()
    }


BOTH = [("tree", "id"), ("tree", "parent_id")]
EACH = [("roots", "id"), ("tree", "parent_id")]


@pytest.mark.parametrize(
    ("tables", "first", "last"),
    [
        (TREE, BOTH, BOTH),
        (TREE, BOTH, BOTH[::-1]),
        (TREE, BOTH[::-1], BOTH),
        (OF_ANOTHER, EACH, EACH[::-1]),
        (OF_ANOTHER, EACH[::-1], EACH[::-1]),
    ],
    ids=["parent last", "parent in between", "parent around", "of another table", "of another table first"],
)
def test_both_sides_of_a_key_change_at_the_same_time(database, make_database, tables, first, last):
    database.execute(tables)
    before = without_checkpoints(database)
    for ending in (undo, contract):
        for table, column in first:
            expand(database, column, table)
        for table, column in last:
            ending(database, column, table)
        if ending is undo:
            assert without_checkpoints(database) == before
    changes = (f"ALTER TABLE {table} ALTER {column} TYPE bigint" for table, column in first)
    assert without_checkpoints(database) == plainly(make_database, tables, *changes)


def refused(database, column, *words):
    before = without_checkpoints(database)
    with pytest.raises(CannotChange) as caught:
        expand(database, column)
    assert without_checkpoints(database) == before
    for word in words:
        assert word in str(caught.value)


def test_a_name_that_another_change_s_copy_has_is_refused_before_anything_is_changed(database):
    database.execute(TENANTS)
    expand(database, "tenant")
    refused(database, "id", "tree_pkey__new", "contract step or its undo", "Nothing was changed")
    contract(database, "tenant")
    expand(database, "id")
    contract(database, "id")


@pytest.mark.parametrize(
    "somebody_s",
    [
        "ALTER TABLE tree ADD CONSTRAINT tree_parent_id__new_fkey CHECK (id > 0)",
        "CREATE TABLE tree_id__new_idx (id int)",
        "CREATE INDEX tree_id__new_idx ON tree (parent_id)",
    ],
)
def test_a_name_that_somebody_else_has_given_is_no_copy(database, somebody_s):
    database.execute(TREE + ";CREATE INDEX tree_id_idx ON tree (id)")
    database.execute(somebody_s)
    refused(database, "id" if "idx" in somebody_s else "parent_id", "__new", "that name is taken")
