"""add the e-mail address of a user"""

import sqlalchemy as sa
from alembic import op

revision = "add_user_email"
down_revision = "create_users"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("user", sa.Column("email", sa.String(256)))
    with op.get_context().autocommit_block():
        op.create_index("ix_user_email", "user", ["email"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_user_email", "user")
    op.drop_column("user", "email")
