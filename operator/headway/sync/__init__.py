"""Triggers that keep two columns of a table equal while old and new application code write side by side."""
