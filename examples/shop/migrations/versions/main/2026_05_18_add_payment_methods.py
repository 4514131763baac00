"""Payments feature: payment methods

Made with: alembic -n main revision --head=feature_payments@head -m "add payment_methods table"
"""

import sqlalchemy as sa
from alembic import op

revision = "add_payment_methods"
down_revision = "start_payments"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "payment_methods",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
    )


def downgrade():
    op.drop_table("payment_methods")
