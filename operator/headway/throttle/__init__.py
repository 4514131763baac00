"""What makes a backfill slow down or hold: named signals, read beside the work, and the verdict over them."""
