"""Revisions for some environments: what is left out is said."""

from __future__ import annotations

import io
import logging

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from headway import in_environment
from support.revisions import Told, run


@pytest.mark.parametrize("value", ["production", " Production "])
def test_in_one_of_the_environments_it_says_nothing(monkeypatch, value):
    monkeypatch.setenv("ENVIRONMENT", value)
    link, found = Told(), []
    run("sqlite://", lambda: found.append(in_environment("staging", "production")), link)
    assert found == [True]
    assert link.facts == []


@pytest.mark.parametrize(
    ("value", "said"), [("test", "ENVIRONMENT is test"), ("", "ENVIRONMENT is not set"), (None, "is not set")]
)
def test_elsewhere_what_is_left_out_is_reported(monkeypatch, value, said):
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    if value is not None:
        monkeypatch.setenv("ENVIRONMENT", value)
    link, found = Told(), []
    run(
        "sqlite://",
        lambda: found.append(in_environment("production", "staging", otherwise="events has no index.")),
        link,
    )
    assert found == [False]
    (notice,) = link.notices()
    assert "it is for production or staging" in notice
    assert f"{said}: events has no index. The revision counts as applied" in notice


def test_under_plain_alembic_it_is_in_the_log_as_a_warning(monkeypatch, caplog):
    monkeypatch.setenv("ENVIRONMENT", "test")
    with caplog.at_level(logging.WARNING, "alembic.headway"):
        run("sqlite://", lambda: in_environment("production"))
    assert [(record.levelname, record.message.split(",")[0]) for record in caplog.records] == [
        ("WARNING", "Skipped")
    ]


def test_in_a_script_it_is_a_comment(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "test\n; DROP TABLE users")
    script = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="sqlite", opts={"as_sql": True, "output_buffer": script}
    )
    with Operations.context(context):
        assert in_environment("production") is False
    assert script.getvalue().startswith("-- Skipped, because it is for production")
    assert len(script.getvalue().strip().splitlines()) == 1


@pytest.mark.parametrize(
    "names",
    [
        (),
    ],
)
def test_without_a_name_it_is_a_mistake(names):
    with pytest.raises(ValueError, match="needs the name of an environment"):
        in_environment(*names)


def test_an_empty_name_is_not_the_variable_that_is_not_set(monkeypatch):
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    with (
        sa.create_engine("sqlite://").connect() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        assert in_environment("") is False
