"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    connection = op.get_bind()
    names = [row.name for row in connection.execute(sa.text("SELECT name FROM kinds"))]
    for name in names:
        print(name)
    connection.execute(sa.text("UPDATE users SET status = :status").bindparams(status="active"))  # found
