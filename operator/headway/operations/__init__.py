"""The other online schema operations, each re-entrant at every statement."""
