"""What the operator answers to: probes and metrics."""
