"""Drives an unmodified Alembic project from inside the user's image: plan, lock, run, verify.

Injected beside the application by an init container and started as ``python <this folder>``. It may import the
standard library, the user's alembic and sqlalchemy, and ``headway_contract``.
"""
