"""What ``from headway import …`` offers."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import headway
from support.tree import SOURCE

REVISION = """
import sqlalchemy as sa
import headway

revision = "a1"
down_revision = None


def upgrade() -> None:
    headway.backfill("users", {"email": sa.func.lower(sa.column("email"))}, where="id > 7", schema="shop")
    headway.create_index_concurrently(
        "i", "users", ["id", sa.text("lower(email)")], schema="shop", unique=True, where="id > 7",
        using="btree", include=["name"], postgresql_with={"fillfactor": 70},
    )
    headway.create_index_concurrently(None, "users", ["email"], where=sa.column("id") > 7)
    column: "sa.Column[str]" = sa.Column("email_lc", sa.Text, nullable=False)
    headway.add_column_with_backfill("users", column, sa.func.lower(sa.column("email")), where="id > 7")
    headway.stop_filling_column("users", "email_lc", schema="shop")
    headway.set_not_null_online("users", "email", existing_type=sa.Text())
    headway.add_foreign_key_online("fk", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE")
    headway.add_check_online("positive", "orders", sa.column("total") >= 0)
    headway.rename_column_expand("users", "name", "full_name", schema="shop")
    headway.rename_column_contract("users", "name", "full_name")
    headway.change_type_expand("orders", "id", sa.BigInteger())
    headway.change_type_expand(
        "items", "price", sa.Numeric(10, 2), using="price::numeric", back=False, server_default=sa.text("0")
    )
    headway.change_type_contract("orders", "id", sa.BigInteger)
    if headway.in_environment("production", otherwise="there is no audit"):
        headway.add_check_online(None, "orders", "total < 1000")


def downgrade() -> None:
    headway.change_type_undo("orders", "id", shadow="id_new")
    headway.rename_column_undo("users", "name", "full_name")
    headway.drop_constraint_online("positive", "orders", "check")
    headway.drop_constraint_online("fk", "orders", type_="foreignkey", schema="shop")
    headway.drop_not_null_online("users", "email")
    headway.drop_column_with_backfill("users", "email_lc")
    headway.drop_index_concurrently("i", "users", schema="shop")
"""
MISTAKES = (
    "headway.backfill('t', {'a': 1})",
    'headway.create_index_concurrently("i", "users", 7)',
    'headway.set_not_null_online("users")',
    'headway.add_foreign_key_online("fk", "orders", "users", "user_id", 7)',
    'headway.add_column_with_backfill("users", "email_lc", "lower(email)")',
    'headway.rename_column_expand("users", "name")',
    'headway.rename_column_contract("users", "name", 7)',
    'headway.rename_column_undo("users", "name", "full_name", table="x")',
    'headway.change_type_expand("orders", "id")',
    'headway.change_type_contract("orders", "id", lossy=True)',
    'headway.change_type_undo("orders", 7)',
    "headway.in_environment(7)",
)


@pytest.fixture(scope="module")
def judgement(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says to these, as strict as it is and in a project that has no settings for it."""
    folder = tmp_path_factory.mktemp("users")
    (folder / "revision.py").write_text(REVISION)
    (folder / "mistakes.py").write_text("import headway\n" + "\n".join(MISTAKES) + "\n")
    (folder / "shown.py").write_text("from headway import backfill\nreveal_type(backfill('t', {'a': '1'}))\n")
    files = ("revision.py", "mistakes.py", "shown.py")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *files]
    environment = {"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    return done.stdout


def test_each_public_name_is_there_and_documented():
    for name in headway.__all__:
        assert getattr(headway, name).__doc__


def test_a_users_strict_mypy_sees_the_types_of_the_public_names(judgement):
    assert "headway.facts.BackfillFinished | None" in judgement


def test_a_users_strict_mypy_is_content_with_a_revision_that_uses_them_all_and_finds_mistakes(judgement):
    assert set(re.findall(r"headway\.(\w+)\(", REVISION)) == set(headway.__all__)
    errors = [line.split(": ")[0] for line in judgement.splitlines() if ": error:" in line]
    assert sorted(set(errors)) == sorted(f"mistakes.py:{number + 2}" for number in range(len(MISTAKES))), (
        judgement
    )
