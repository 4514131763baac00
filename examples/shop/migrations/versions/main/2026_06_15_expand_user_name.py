"""Rename users.name to full_name: expand

Both columns exist while old and new code run side by side, and triggers keep them equal, whichever is written; if
both are at once, the new column wins. The rows from before are filled in batches, and NOT NULL goes along. The old
column goes in a later release, by rename_column_contract, when no code knows it any more: examples/rename shows it.
"""

from headway import rename_column_expand, rename_column_undo

revision = "expand_user_name"
down_revision = "merge_payments"
branch_labels = None
depends_on = None


def upgrade():
    rename_column_expand("users", "name", "full_name")


def downgrade():
    rename_column_undo("users", "name", "full_name")
