"""What is looked at: one module for each signal, and which of them a database has."""
