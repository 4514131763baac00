"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE users ALTER COLUMN low SET EXPRESSION AS (lower(email))")  # found
    op.execute("ALTER TABLE orders ADD COLUMN low text GENERATED ALWAYS AS (lower(name)) VIRTUAL")
    op.execute("ALTER TABLE users ADD COLUMN high text GENERATED ALWAYS AS (upper(name)) STORED")
    op.execute("ALTER TABLE users ALTER COLUMN high SET EXPRESSION AS (upper(email))")  # found
    op.execute("ALTER TABLE orders SET TABLESPACE low")  # found
