"""Backfills: batches of a table that is in use, each with its checkpoint in the same transaction."""
