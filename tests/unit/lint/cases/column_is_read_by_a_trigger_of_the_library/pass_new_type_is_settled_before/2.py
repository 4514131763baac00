"""A revision."""

import sqlalchemy as sa

import headway

revision = "r2"
down_revision = "r1"


def upgrade():
    headway.change_type_contract("books", "pages", sa.BigInteger())
