"""What ``from headway import …`` offers."""

from __future__ import annotations

import subprocess
import sys

import headway
from support.tree import SOURCE


def test_each_public_name_is_there_and_documented():
    for name in headway.__all__:
        assert getattr(headway, name).__doc__


def test_a_users_strict_mypy_sees_the_types_of_the_public_names(tmp_path):
    code = "from headway import backfill\nreveal_type(backfill('t', {'a': '1'}))\nbackfill('t', {'a': 1})\n"
    (tmp_path / "revision.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "revision.py"]
    environment = {"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert "headway.facts.BackfillFinished | None" in done.stdout
    assert done.stdout.count(": error:") == 1, done.stdout


REVISION = """
import sqlalchemy as sa
import headway

revision = "a1"
down_revision = None


def upgrade() -> None:
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
    if headway.in_environment("production", otherwise="there is no audit"):
        headway.add_check_online(None, "orders", "total < 1000")


def downgrade() -> None:
    headway.drop_constraint_online("positive", "orders", "check")
    headway.drop_constraint_online("fk", "orders", type_="foreignkey", schema="shop")
    headway.drop_not_null_online("users", "email")
    headway.drop_column_with_backfill("users", "email_lc")
    headway.drop_index_concurrently("i", "users", schema="shop")
"""
MISTAKES = (
    'headway.create_index_concurrently("i", "users", 7)',
    'headway.set_not_null_online("users")',
    'headway.add_foreign_key_online("fk", "orders", "users", "user_id", 7)',
    'headway.add_column_with_backfill("users", "email_lc", "lower(email)")',
    "headway.in_environment(7)",
)


def test_a_users_strict_mypy_is_content_with_a_revision_that_uses_them_all_and_finds_mistakes(tmp_path):
    (tmp_path / "revision.py").write_text(REVISION)
    (tmp_path / "mistakes.py").write_text("import headway\n" + "\n".join(MISTAKES) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "revision.py", "mistakes.py"]
    environment = {"MYPYPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    errors = [line.split(": ")[0] for line in done.stdout.splitlines() if ": error:" in line]
    assert sorted(set(errors)) == [f"mistakes.py:{number + 2}" for number in range(len(MISTAKES))], (
        done.stdout
    )
