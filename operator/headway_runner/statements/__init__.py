"""What is known of the statements of a run as they pass: transactions, waits and who blocks, indexes, loops."""
