"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE MATERIALIZED VIEW totals AS SELECT day, count(*) FROM orders GROUP BY day")
    op.execute("CREATE UNIQUE INDEX idx_totals_day ON totals (day)")
    op.execute("SELECT id INTO kept FROM orders")
    op.create_index("idx_kept_id", "kept", ["id"])
    op.execute("WITH old AS (SELECT id FROM orders) SELECT id INTO older FROM old")
    op.create_index("idx_older_id", "older", ["id"])
