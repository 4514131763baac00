"""A revision."""

from alembic import op

post_deploy = True

revision = "r2"
down_revision = "r1"


def upgrade():
    op.drop_column("users", "name")
