"""A table whose rows take four milliseconds each until they may hurry, and the revision that fills it."""

from __future__ import annotations

SECONDS_PER_ROW = 0.004
ROWS = 20_000
SLOW_USERS = f"""
    CREATE TABLE users (id int PRIMARY KEY, status text, written timestamptz);
    INSERT INTO users SELECT n, NULL, NULL FROM generate_series(1, {ROWS}) AS n;
    ANALYZE users;
    CREATE TABLE may_hurry (may bool);
    CREATE FUNCTION write_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM may_hurry) THEN PERFORM pg_sleep({SECONDS_PER_ROW}); END IF;
        NEW.written := clock_timestamp();
        RETURN NEW;
    END $$;
    CREATE TRIGGER write_slowly BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION write_slowly()
"""
"""Rows also say when they were written."""
HURRY = "INSERT INTO may_hurry VALUES (true)"
FILL = """
import headway
headway.backfill("users", {"status": "'new'"}, "status IS NULL")
"""
