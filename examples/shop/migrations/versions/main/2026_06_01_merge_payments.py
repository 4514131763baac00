"""Merge the payments feature

Made with: alembic -n main merge index_orders add_payment_methods -m "merge the payments feature"
It only joins the two branches, so it can be taken back: below it both are heads again.
"""

revision = "merge_payments"
down_revision = ("index_orders", "add_payment_methods")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
