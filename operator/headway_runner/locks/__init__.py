"""The migration lock: one run at a time, and who holds it."""
