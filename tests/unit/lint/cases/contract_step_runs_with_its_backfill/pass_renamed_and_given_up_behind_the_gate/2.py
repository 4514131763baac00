"""A revision."""

import headway

post_deploy = True

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.rename_column_contract("users", "name", "full_name")
