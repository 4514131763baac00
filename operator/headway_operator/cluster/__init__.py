"""The outside world behind one Protocol, ``Cluster``: a Kubernetes API server, or local processes."""
