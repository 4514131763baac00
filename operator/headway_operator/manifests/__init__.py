"""Actions as Kubernetes objects. Pure."""
