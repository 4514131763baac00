"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    op.execute("DROP MATERIALIZED VIEW IF EXISTS totals")
    op.execute(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS SELECT day, count(*) FROM orders GROUP BY day"
    )
    op.create_index("idx_totals_day", "totals", ["day"])
    op.execute("CREATE MATERIALIZED VIEW sums_new AS SELECT day, sum(amount) FROM orders GROUP BY day")
    op.execute("ALTER MATERIALIZED VIEW sums_new RENAME TO sums")
    op.create_index("idx_sums_day", "sums", ["day"])
