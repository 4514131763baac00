"""A revision."""

import sqlalchemy as sa

import headway

revision = "r1"
down_revision = None


def upgrade():
    headway.change_type_expand("books", "pages", sa.BigInteger())
