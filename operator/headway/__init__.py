"""Online schema operations for Alembic revisions, usable under plain ``alembic upgrade`` too.

Imported by the users' revision files in the users' image: the standard library, alembic and sqlalchemy only,
and none of Headway's other parts, so that the version a user pins and the version an operator injects may differ.
Inside Alembic, importing it also makes the operations methods of ``op``.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.backfills.backfill import backfill
    from headway.operations.indexes import create_index_concurrently, drop_index_concurrently

__all__ = [
    "backfill",
    "create_index_concurrently",
    "drop_index_concurrently",
]


def __getattr__(name: str) -> Any:
    """The operations are loaded when the first one is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from headway.operations.register import FUNCTIONS

    return FUNCTIONS[name]


if "alembic" in sys.modules:
    from headway.operations.register import register

    register()
