"""Fill the main database with users and orders, as it would be after years: python seed.py [--users N] [URL]

For the revision `create_shop`, so before the later ones have anything to do. The URL may come from DATABASE_URL.
"""

import argparse
import os

from sqlalchemy import create_engine, text

STATEMENTS = (
    "INSERT INTO products (title, price_cents) SELECT 'Product ' || n, 100 + n FROM generate_series(1, 1000) AS n",
    """
    INSERT INTO users (email, name, is_active, created_at)
    SELECT 'user' || n || '@example.com', 'User ' || n, n % 10 <> 0, now() - n * interval '1 minute'
    FROM generate_series(1, :users) AS n
    """,
    """
    INSERT INTO orders (customer_id, product_id, status, created_at)
    SELECT id, 1 + id % 1000, CASE WHEN id % 7 = 0 THEN 'cancelled' ELSE 'open' END, created_at
    FROM users WHERE id % 2 = 0
    """,
)


def load(url, users=500_000):
    """Insert `users` users and an order for every second one, all or nothing."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in STATEMENTS:
            connection.execute(text(statement), {"users": users} if ":users" in statement else {})
        connection.execute(text("ANALYZE users, orders"))
    engine.dispose()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "url", nargs="?", default=os.environ.get("DATABASE_URL"), help="default: DATABASE_URL"
    )
    parser.add_argument("--users", type=int, default=500_000, help="how many users (default: 500000)")
    arguments = parser.parse_args()
    if not arguments.url:
        parser.error("which database? Give its URL, or set DATABASE_URL.")
    load(arguments.url, arguments.users)
    print(f"loaded {arguments.users:,} users and {arguments.users // 2:,} orders")


if __name__ == "__main__":
    main()
