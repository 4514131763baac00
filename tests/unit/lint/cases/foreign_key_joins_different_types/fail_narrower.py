"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("mail", sa.Text()))
    op.create_table("orders", sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id")))  # found
    op.add_column("orders", sa.Column("other_id", sa.SmallInteger(), sa.ForeignKey("users.id")))  # found
    op.add_column("orders", sa.Column("mail", sa.Uuid()))
    op.create_foreign_key("orders_mail_fkey", "orders", "users", ["mail"], ["mail"])  # found
    op.create_table(
        "nodes",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("parent_id", sa.Integer(), sa.ForeignKey("nodes.id")),
    )  # found
