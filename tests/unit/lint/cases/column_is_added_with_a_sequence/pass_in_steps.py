"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE SEQUENCE users_number")
    op.add_column("users", sa.Column("number", sa.BigInteger()))
    op.execute("ALTER TABLE users ALTER COLUMN number SET DEFAULT nextval('users_number')")
