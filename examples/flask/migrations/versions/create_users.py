"""create users"""

import sqlalchemy as sa
from alembic import op

revision = "create_users"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "user",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(128)),
    )


def downgrade():
    op.drop_table("user")
