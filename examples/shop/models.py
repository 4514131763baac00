"""The tables of each database at head; `alembic -n main check` compares them with a migrated database."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

NOW = sa.func.now()


def moment(name="created_at"):
    return sa.Column(name, sa.DateTime(timezone=True), server_default=NOW, nullable=False)


main = sa.MetaData()

users = sa.Table(
    "users",
    main,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("email", sa.String(255), nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("is_active", sa.Boolean, server_default=sa.true(), nullable=False),
    moment(),
    sa.Column("status", sa.String(20), server_default="active", nullable=False),
    sa.Column("full_name", sa.String(255), nullable=False),
)
products = sa.Table(
    "products",
    main,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("price_cents", sa.Integer, nullable=False),
)
orders = sa.Table(
    "orders",
    main,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), nullable=False),
    sa.Column("status", sa.String(20), server_default="open", nullable=False),
    moment(),
)
sa.Index(
    "idx_orders_customer_date",
    orders.c.customer_id,
    orders.c.created_at.desc(),
    postgresql_where=sa.text("status <> 'cancelled'"),
)
payments = sa.Table(
    "payments",
    main,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False, index=True),
    sa.Column("amount_cents", sa.Integer, nullable=False),
    moment(),
)
payment_methods = sa.Table(
    "payment_methods",
    main,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
)

analytics = sa.MetaData()

events = sa.Table(
    "events",
    analytics,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("event_type", sa.String(100), nullable=False),
    sa.Column("payload", sa.JSON),
    moment(),
)
sa.Index("idx_events_created", events.c.created_at.desc())

audit = sa.MetaData()

audit_log = sa.Table(
    "audit_log",
    audit,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("action", sa.String(100), nullable=False),
    sa.Column("details", JSONB),
    moment("happened_at"),
)

METADATA = {"main": main, "analytics": analytics, "audit": audit}
