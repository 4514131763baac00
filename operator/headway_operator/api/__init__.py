"""The resource as dataclasses: its spec parsed once at the edge, its status written from one place. Pure."""
