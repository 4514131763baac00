"""What Alembic is asked for an upgrade is no question of the command's own."""

from __future__ import annotations

import pytest
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from headway_contract.request import Mode, RunRequest
from headway_runner.attach.asked import Asked
from headway_runner.processes.task import Task
from support.runner import database_request


@pytest.mark.parametrize(("options", "counts"), [({}, True), ({"destination_rev": "heads"}, False)])
def test_only_heads_that_are_not_read_for_an_upgrade_count(options, counts):
    database = database_request()
    task = Task(RunRequest(Mode.MIGRATE, "run", (database,)), database, "heads")
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert Asked(task).note_heads(context, ()) is counts
    engine.dispose()
