"""A database whose functions of WAL and control file do as Aurora's, which has another storage below.

Source of what they say: "wal_level must be set to 'logical'", SQLSTATE 55000, while logical replication is off, as it
is by default (reported for pg_current_wal_lsn and pg_control_checkpoint by users of mackerel, pg_gather and Datadog).
"""

from __future__ import annotations

from support.postgres import Database

_REFUSES = """
AS $$ BEGIN
  RAISE EXCEPTION 'wal_level must be set to ''logical'''
  USING ERRCODE = '55000', HINT = 'WAL control functions cannot be executed when wal_level < logical.';
END $$
"""
_FUNCTIONS = (
    "pg_current_wal_lsn() RETURNS pg_lsn",
    "pg_current_wal_insert_lsn() RETURNS pg_lsn",
    "pg_current_wal_flush_lsn() RETURNS pg_lsn",
    "pg_walfile_name(lsn pg_lsn) RETURNS text",
    "pg_control_system(OUT pg_control_version int, OUT catalog_version_no int, OUT system_identifier bigint, "
    "OUT pg_control_last_modified timestamptz) RETURNS record",
)


def like_aurora(database: Database) -> Database:
    """This database, and no other of its server."""
    for signature in _FUNCTIONS:
        # Out of the way: the server runs what it was built with by its number, whatever the catalog says of it.
        name = signature.partition("(")[0]
        arguments = "pg_lsn" if name == "pg_walfile_name" else ""
        database.execute(f"ALTER FUNCTION pg_catalog.{name}({arguments}) RENAME TO {name}_built_in")
        database.execute(f"CREATE FUNCTION pg_catalog.{signature} LANGUAGE plpgsql {_REFUSES}")
    database.execute(
        "CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql AS $$ SELECT '16.4.0' $$"
    )
    return database
