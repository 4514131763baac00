"""SQLSTATEs that processes with and without SQLAlchemy look for."""

READ_ONLY = "25006"
"""read_only_sql_transaction"""
