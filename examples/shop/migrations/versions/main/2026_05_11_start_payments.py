"""Payments feature: payments

Made with: alembic -n main revision --head=create_shop --splice --branch-label=feature_payments -m "start payments"
"""

import sqlalchemy as sa
from alembic import op

revision = "start_payments"
down_revision = "create_shop"
branch_labels = ("feature_payments",)
depends_on = None


def upgrade():
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False, index=True),
        sa.Column("amount_cents", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )


def downgrade():
    op.drop_table("payments")
