"""A first resource for a project: what is found in its files, and the YAML that is written of it."""
