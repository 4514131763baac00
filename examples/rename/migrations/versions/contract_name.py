"""users.name goes: no code of the release before is left"""

from headway import rename_column_contract, rename_column_expand

revision = "contract_name"
down_revision = "expand_name"
branch_labels = None
depends_on = None
post_deploy = True


def upgrade():
    rename_column_contract("users", "name", "full_name")


def downgrade():
    rename_column_expand("users", "full_name", "name")
