"""start payments feature

Revision ID: pay001

ADDED: what the guide's first command makes:
alembic revision --branch-label=feature_payments -m "start payments feature"
"""
revision = 'pay001'
down_revision = 'shop001'
branch_labels = ('feature_payments',)

def upgrade() -> None:
    pass

def downgrade() -> None:
    pass
