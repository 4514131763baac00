"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("mail", sa.Text()))
    op.execute("CREATE TABLE teams (id bigserial PRIMARY KEY, boss integer REFERENCES users)")
    op.create_table(
        "orders",
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id")),
        sa.Column("team_id", sa.BigInteger(), sa.ForeignKey("teams.id")),
        sa.Column("mail", sa.String(50), sa.ForeignKey("users.mail")),
        sa.Column("unknown_id", sa.SmallInteger(), sa.ForeignKey("elsewhere.id")),
    )
    op.execute("CREATE DOMAIN key AS bigint")
    op.execute("CREATE TABLE notes (user_id key REFERENCES users (id))")
