"""Require users.status

SET NOT NULL alone would read the whole table under a lock that stops everybody. A constraint that is not yet
valid is added at once, VALIDATE reads the table while reads and writes go on, and then PostgreSQL (12 and later)
takes the constraint as the proof and reads nothing.
"""

from alembic import op

revision = "require_user_status"
down_revision = "backfill_user_status"
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE users DROP CONSTRAINT IF EXISTS users_status_present")
        op.execute(
            "ALTER TABLE users ADD CONSTRAINT users_status_present CHECK (status IS NOT NULL) NOT VALID"
        )
        op.execute("ALTER TABLE users VALIDATE CONSTRAINT users_status_present")
        op.execute("ALTER TABLE users ALTER COLUMN status SET NOT NULL")
        op.execute("ALTER TABLE users DROP CONSTRAINT users_status_present")


def downgrade():
    op.alter_column("users", "status", nullable=True)
