"""Rename users.name to full_name: expand

Both columns exist while old and new code run side by side, and a trigger keeps them equal in both directions: on
INSERT the one that was given fills the other, on UPDATE the one that changed is copied. If both change at once,
the new column wins. The old column goes in a later release, when no code knows it any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "expand_user_name"
down_revision = "merge_payments"
branch_labels = None
depends_on = None

FUNCTION = """
    CREATE OR REPLACE FUNCTION sync_user_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.full_name = COALESCE(NEW.full_name, NEW.name);
            NEW.name = COALESCE(NEW.name, NEW.full_name);
        ELSIF NEW.full_name IS DISTINCT FROM OLD.full_name THEN
            NEW.name = NEW.full_name;
        ELSIF NEW.name IS DISTINCT FROM OLD.name THEN
            NEW.full_name = NEW.name;
        END IF;
        RETURN NEW;
    END;
    $$
"""
TRIGGER = """
    CREATE TRIGGER trg_sync_user_name BEFORE INSERT OR UPDATE OF name, full_name ON users
    FOR EACH ROW EXECUTE FUNCTION sync_user_name()
"""


def upgrade():
    op.add_column("users", sa.Column("full_name", sa.String(255), nullable=True))
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade():
    op.execute("DROP TRIGGER trg_sync_user_name ON users")
    op.execute("DROP FUNCTION sync_user_name()")
    op.drop_column("users", "full_name")
