"""Looks at a database before and after a run: nothing is changed."""
