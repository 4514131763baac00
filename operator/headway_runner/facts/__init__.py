"""What is known of a revision before it runs: read from its file, and rendered without a database."""
