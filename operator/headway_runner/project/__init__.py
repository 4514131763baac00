"""The user's Alembic project: configuration, revision files, contexts and version tables."""
