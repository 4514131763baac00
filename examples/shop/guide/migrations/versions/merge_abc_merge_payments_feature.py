"""Merge feature_payments and main branches.

Revision ID: merge_abc
Revises: ('pay002', 'def456')
"""
revision = 'merge_abc'
# CORRECTION: the guide merges 'abc123', which elsewhere is its analytics revision; the feature's head is meant.
down_revision = ('pay002', 'def456')  # Tuple for merge

def upgrade() -> None:
    # No operations - just marks merge point
    pass

def downgrade() -> None:
    # Cannot downgrade past merge - requires specific branch
    raise Exception("Cannot downgrade past merge point")
