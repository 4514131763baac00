"""When a command need not upgrade after its run, the version tables decide; and when they may not be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.result import Failure, PendingRevision
from headway_runner.looks.after_a_command import as_the_run_left_it, is_needed
from headway_runner.processes.task import Application, Inspection, VersionTable

ONE, TWO = (
    VersionTable("one", "alembic_version", ("a2",)),
    VersionTable("two", "alembic_version", ("a2", "b1")),
)
DID = Application(contexts=2, completed=2, tables=(ONE, TWO))
NEVER = Inspection(failure=Failure("NeverAttached", "nothing was seen"), unseen=True)


def test_it_is_needed_when_the_command_left_something_of_a_whole_run_unseen():
    assert is_needed(DID, NEVER)
    assert is_needed(DID, Inspection(contexts=1))
    assert not is_needed(DID, Inspection(contexts=2))


@pytest.mark.parametrize(
    "run",
    [
        replace(DID, failure=Failure("RevisionFailed", "no")),
        replace(DID, seen=Failure("RevisionFailed", "no")),
        replace(DID, unfinished="a2"),
        replace(DID, contexts=3),
        replace(DID, tables=()),
    ],
)
def test_a_run_that_did_not_come_to_its_end_is_left_to_the_command(run):
    assert not is_needed(run, NEVER)


def test_what_the_look_found_itself_stays():
    failed = Inspection(failure=Failure("CommandFailed", "exit code 3"))
    pending = Inspection(contexts=1, pending=(PendingRevision("a2"),))
    assert not is_needed(DID, failed)
    assert not is_needed(DID, pending)


def test_tables_as_the_run_left_them_complete_the_look():
    found = as_the_run_left_it(DID, NEVER, Inspection(asked=(TWO, ONE), invalid_indexes=("one.ix",)))
    assert (found.failure, found.unseen, found.contexts) == (None, False, 2)
    assert (found.current, found.invalid_indexes) == (("a2", "b1"), ("one.ix",))


@pytest.mark.parametrize(("heads", "words"), [((), "is empty or not there"), (("a1",), "is at a1")])
def test_a_table_that_is_elsewhere_is_a_failure(heads, words):
    moved = replace(TWO, heads=heads)
    found = as_the_run_left_it(DID, NEVER, Inspection(asked=(ONE, moved)))
    assert found.failure.name == "NotPersisted"
    assert f"two.alembic_version {words}; the run had left it at a2, b1" in found.failure.message


def test_a_table_that_nobody_looked_at_leaves_the_look_as_it_was():
    assert as_the_run_left_it(DID, NEVER, Inspection(asked=(ONE,))) == NEVER


def test_a_look_that_failed_is_told():
    lost = Inspection(failure=Failure("DatabaseUnreachable", "gone"))
    assert as_the_run_left_it(DID, NEVER, lost) == lost
