"""add payment_methods table

Revision ID: pay002

ADDED: what the guide's second command makes:
alembic revision --head=feature_payments@head -m "add payment_methods table"
"""
from alembic import op
import sqlalchemy as sa

revision = 'pay002'
down_revision = 'pay001'

def upgrade() -> None:
    op.create_table('payment_methods',
        sa.Column('id', sa.BigInteger, primary_key=True),
        sa.Column('kind', sa.String(20), nullable=False),
    )

def downgrade() -> None:
    op.drop_table('payment_methods')
