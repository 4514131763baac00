"""Operations as methods of Alembic's `op`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

import headway
from headway.operations import register
from headway.place import OPERATIONS, here


def test_a_function_becomes_a_method_that_works_on_the_context_it_was_called_on(monkeypatch):
    seen = []

    def sample_operation(table, column="id", *, schema=None):
        """What it does."""
        seen.append((table, column, schema, here().context))
        return 7

    monkeypatch.setattr(register, "REGISTERED", (("sample_operation", sample_operation),))
    try:
        register.register()
        register.register()
        with sa.create_engine("sqlite://").connect() as connection:
            context = MigrationContext.configure(connection)
            assert Operations(context).sample_operation("users", schema="audit") == 7
        assert seen == [("users", "id", "audit", context)]
        assert OPERATIONS.get() is None
        assert Operations.sample_operation.__doc__ == "What it does."
    finally:
        del Operations.sample_operation


def test_after_an_operation_that_fails_the_next_one_finds_its_own_context(monkeypatch):
    def sample_operation():
        raise ZeroDivisionError

    monkeypatch.setattr(register, "REGISTERED", (("sample_operation", sample_operation),))
    try:
        register.register()
        with sa.create_engine("sqlite://").connect() as connection:
            operations = Operations(MigrationContext.configure(connection))
            try:
                operations.sample_operation()
            except ZeroDivisionError:
                assert OPERATIONS.get() is None
            else:
                raise AssertionError("it was not called")
    finally:
        del Operations.sample_operation


def test_what_the_library_offers_is_a_method_of_op_in_the_same_order():
    register.register()
    assert list(register.FUNCTIONS) == headway.__all__
    assert [name for name in headway.__all__ if not hasattr(Operations, name)] == []
    assert all(getattr(headway, name) is register.FUNCTIONS[name] for name in headway.__all__)


def test_a_name_that_it_does_not_offer_is_told_as_python_tells_it():
    with pytest.raises(ImportError, match="cannot import name 'create_everything'"):
        exec("from headway import create_everything")
