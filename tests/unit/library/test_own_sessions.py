"""Sessions of our own."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from headway.sessions import OwnSession


def test_an_error_in_a_session_of_our_own_shows_no_values_of_rows():
    session = OwnSession(create_engine("sqlite://"))
    statement = text("SELECT :value FROM nothing")
    with pytest.raises(OperationalError) as caught:
        session.do(lambda connection: connection.execute(statement, {"value": "a secret"}))
    session.close()
    assert "nothing" in str(caught.value)
    assert "a secret" not in str(caught.value)
