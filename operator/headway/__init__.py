"""Online schema operations for Alembic revisions, usable under plain ``alembic upgrade`` too.

Imported by the users' revision files in the users' image: the standard library, alembic and sqlalchemy only,
and none of Headway's other parts, so that the version a user pins and the version an operator injects may differ.
Importing it also makes the operations methods of Alembic's ``op``.
"""

from headway.operations.indexes import create_index_concurrently, drop_index_concurrently
from headway.operations.register import register

__all__ = [
    "create_index_concurrently",
    "drop_index_concurrently",
]

register()
