"""Online schema operations for Alembic revisions, usable under plain ``alembic upgrade`` too.

Imported by the users' revision files in the users' image: the standard library, alembic and sqlalchemy only,
and none of Headway's other parts, so that the version a user pins and the version an operator injects may differ.
Inside Alembic, importing it also makes the operations methods of ``op``.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.backfills.backfill import backfill
    from headway.operations.add_column import (
        add_column_with_backfill,
        drop_column_with_backfill,
        stop_filling_column,
    )
    from headway.operations.change_type import change_type_contract, change_type_expand, change_type_undo
    from headway.operations.checks import add_check_online, drop_constraint_online
    from headway.operations.environment import in_environment
    from headway.operations.foreign_keys import add_foreign_key_online
    from headway.operations.indexes import create_index_concurrently, drop_index_concurrently
    from headway.operations.not_null import drop_not_null_online, set_not_null_online
    from headway.operations.rename_column import (
        rename_column_contract,
        rename_column_expand,
        rename_column_undo,
    )

# In the order of the documentation.
__all__ = [  # noqa: RUF022
    "backfill",
    "create_index_concurrently",
    "drop_index_concurrently",
    "add_column_with_backfill",
    "stop_filling_column",
    "drop_column_with_backfill",
    "set_not_null_online",
    "drop_not_null_online",
    "add_foreign_key_online",
    "add_check_online",
    "drop_constraint_online",
    "rename_column_expand",
    "rename_column_contract",
    "rename_column_undo",
    "change_type_expand",
    "change_type_contract",
    "change_type_undo",
    "in_environment",
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
