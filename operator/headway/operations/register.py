"""The operations as methods of Alembic's ``op``, beside the functions that a revision imports from ``headway``.

The functions are the typed form; ``op.create_index_concurrently(…)`` is the same for those who prefer it.
"""

from collections.abc import Callable
from typing import Any

from alembic.operations import MigrateOperation, Operations

from headway import drift
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
from headway.place import OPERATIONS

Function = Callable[..., Any]
REGISTERED: "tuple[tuple[str, Function], ...]" = (
    ("backfill", backfill),
    ("create_index_concurrently", create_index_concurrently),
    ("drop_index_concurrently", drop_index_concurrently),
    ("add_column_with_backfill", add_column_with_backfill),
    ("stop_filling_column", stop_filling_column),
    ("drop_column_with_backfill", drop_column_with_backfill),
    ("set_not_null_online", set_not_null_online),
    ("drop_not_null_online", drop_not_null_online),
    ("add_foreign_key_online", add_foreign_key_online),
    ("add_check_online", add_check_online),
    ("drop_constraint_online", drop_constraint_online),
    ("rename_column_expand", rename_column_expand),
    ("rename_column_contract", rename_column_contract),
    ("rename_column_undo", rename_column_undo),
    ("change_type_expand", change_type_expand),
    ("change_type_contract", change_type_contract),
    ("change_type_undo", change_type_undo),
    ("in_environment", in_environment),
)
"""Name under ``op`` and function, in the order of the documentation."""

FUNCTIONS: "dict[str, Function]" = dict(REGISTERED)
"""Whatever ``headway`` offers, by its name."""


def register() -> None:
    """Make each of them known to Alembic, and autogenerate what they leave; again is harmless."""
    drift.register()
    for name, function in REGISTERED:
        if not hasattr(Operations, name):
            Operations.register_operation(name, "call")(_operation(name, function))


def _operation(name: str, function: Function) -> "type[MigrateOperation]":
    """A class of Alembic's for a function.

    Its arguments go through as they are: before Alembic 1.11 the proxy forgets keyword-only parameters.
    """

    class Call(MigrateOperation):
        __doc__ = function.__doc__

        def __init__(self, arguments: "tuple[Any, ...]", named: "dict[str, Any]") -> None:
            self.arguments = arguments
            self.named = named

        @classmethod
        def call(cls, operations: Operations, *arguments: Any, **named: Any) -> Any:
            return operations.invoke(cls(arguments, named))

    def run(operations: Operations, call: Call) -> Any:
        token = OPERATIONS.set(operations)
        try:
            return function(*call.arguments, **call.named)
        finally:
            OPERATIONS.reset(token)

    Call.__name__ = Call.__qualname__ = name
    Call.call.__func__.__doc__ = function.__doc__  # type: ignore[attr-defined]
    Operations.implementation_for(Call)(run)
    return Call
