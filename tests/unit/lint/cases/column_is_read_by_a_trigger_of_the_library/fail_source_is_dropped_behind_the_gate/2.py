"""A revision."""

from alembic import op

revision = "r2"
down_revision = "r1"
post_deploy = True


def upgrade():
    op.drop_column("books", "pages")  # found
