"""The way to the database: its URL, sessions and their settings, and what lies below SQLAlchemy."""
