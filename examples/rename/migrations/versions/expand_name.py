"""users.name becomes full_name: both are there and are kept equal"""

from headway import rename_column_expand, rename_column_undo

revision = "expand_name"
down_revision = "create_users"
branch_labels = None
depends_on = None


def upgrade():
    rename_column_expand("users", "name", "full_name")


def downgrade():
    rename_column_undo("users", "name", "full_name")
