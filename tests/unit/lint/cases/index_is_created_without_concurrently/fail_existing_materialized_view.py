"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS SELECT day FROM orders")
    op.create_index("idx_totals_day", "totals", ["day"])  # found
    op.execute("CREATE MATERIALIZED VIEW sums_new AS SELECT day, sum(amount) FROM orders GROUP BY day")
    op.execute("ALTER MATERIALIZED VIEW sums RENAME TO sums_old")
    op.execute("ALTER MATERIALIZED VIEW sums_new RENAME TO sums")
    op.create_index("idx_sums_day", "sums", ["day"])  # found
    op.execute("CREATE MATERIALIZED VIEW days AS SELECT day FROM orders")
    op.execute("DROP MATERIALIZED VIEW days")
    op.create_index("idx_days_day", "days", ["day"])  # found
