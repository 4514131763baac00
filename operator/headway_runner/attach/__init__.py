"""Attach mode: a pass through the application's own command."""
