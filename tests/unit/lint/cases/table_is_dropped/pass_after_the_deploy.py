"""A revision."""

from alembic import op

post_deploy = True

revision = "r1"
down_revision = None


def upgrade():
    op.drop_table("carts")
