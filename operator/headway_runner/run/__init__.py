"""The pass that applies revisions, and how it ended."""
