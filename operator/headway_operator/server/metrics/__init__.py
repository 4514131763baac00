"""What Prometheus reads; one file for each side of the operator that is counted, one registry for all."""
