"""What a command has found or done, from the reports of its processes and how it ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.request import Mode, RunRequest
from headway_contract.result import Failure, Outcome, PendingRevision
from headway_runner.attach.command_end import CommandEnd, application_of, inspection_of
from headway_runner.processes.child import Kept
from headway_runner.processes.task import (
    Application,
    Inspection,
    Missed,
    NotEnded,
    Place,
    Report,
    VersionTable,
)
from headway_runner.run.verdict import verdict
from support.runner import database_request

SQL = Failure("RevisionFailed", "Revision a2 failed", "a2", "42P01")
SAW = Inspection(current=("a1",), contexts=1)
DID = Application(applied=("a1",), heads=("a1",), contexts=1, completed=1)


def end(*outcomes, status=0, swallowed=None, **facts):
    reports = tuple(Report(number, outcome, swallowed) for number, outcome in enumerate(outcomes))
    return CommandEnd("shop-admin migrate", status, reports, **facts)


@pytest.mark.parametrize(
    ("ended", "name"),
    [
        (end(hooked=False), "NeverAttached"),
        (end(hooked=False, status=1), "NeverAttached"),
        (end(), "NeverAttached"),
        (end(status=2), "CommandFailed"),
        (end(status=-9), "CommandFailed"),
        (end(old_python="3.8", status=1), "OldPython"),
        (end(Inspection()), "NeverAttached"),
        (end(SAW, Inspection(failure=SQL)), "RevisionFailed"),
        (end(Inspection(failure=Failure("WrongDatabase", ""))), "WrongDatabase"),
    ],
)
def test_a_look_in_which_nothing_was_seen_is_a_failure(ended, name):
    assert inspection_of(ended).failure.name == name


@pytest.mark.parametrize("name", ["WrongDatabase", "NeverConfigured"])
def test_a_process_with_other_things_to_do_is_no_failure(name):
    other = Inspection(failure=Failure(name, ""))
    assert inspection_of(end(other, SAW)).failure is None
    assert inspection_of(end(SAW, other)).failure is None


def test_a_look_counts_although_the_command_fails_behind_it():
    found = inspection_of(end(SAW, status=1))
    assert (found.failure, found.current, found.contexts) == (None, ("a1",), 1)


def test_what_several_processes_saw_is_joined():
    other = Inspection(current=("b1",), contexts=1, one_transaction=True)
    found = inspection_of(end(SAW, other))
    assert found.current == ("a1", "b1")
    assert found.starts == (("a1",), ("b1",))
    assert (found.contexts, found.one_transaction) == (2, True)


TABLE = VersionTable("public", "alembic_version", ("a1",))
ASKED = Inspection(current=("a1",), target=("a1",), asked=(TABLE,))


def test_a_command_that_asked_and_was_at_its_head_needed_no_upgrade():
    found = inspection_of(end(ASKED))
    assert (found.failure, found.current, found.pending) == (None, ("a1",), ())


@pytest.mark.parametrize(
    "ended",
    [
        end(ASKED, Inspection(behind=True)),
        end(Inspection(behind=True)),
        end(ASKED, status=1),
        end(ASKED, Inspection(failure=SQL)),
    ],
)
def test_what_it_asked_counts_only_when_all_was_at_its_head_and_nothing_failed(ended):
    assert inspection_of(ended).failure is not None


def test_only_a_command_that_ended_well_may_have_had_nothing_to_do():
    assert inspection_of(end(hooked=False)).unseen
    assert not inspection_of(end(hooked=False, status=1)).unseen
    assert not inspection_of(end(old_python="3.8")).unseen


def test_an_upgrade_says_more_than_an_answer():
    found = inspection_of(end(ASKED, SAW))
    assert (found.contexts, found.asked) == (1, ())


def test_a_version_table_is_as_the_last_process_left_it():
    later = VersionTable("public", "alembic_version", ("a2",))
    done = application_of(end(replace(DID, tables=(TABLE,)), replace(DID, tables=(later,))))
    assert done.tables == (later,)


def test_a_failure_behind_the_revisions_is_one_of_the_command_and_not_when_it_was_asked_to_stop():
    assert application_of(end(DID, status=1)).failure.name == "CommandFailed"
    stopped = application_of(end(DID, status=1, asked_to_stop=True))
    assert (stopped.failure, stopped.stopped) == (None, True)


def test_an_exit_code_brings_out_what_the_command_had_hidden():
    assert application_of(end(DID, status=1, swallowed=SQL)).failure == SQL
    assert application_of(end(DID, swallowed=SQL)).failure is None
    assert application_of(end(DID, swallowed=SQL)).seen == SQL


MISSED = Failure("ProjectFailed", "no tenant")


def hid(*reports, **facts):
    return CommandEnd("shop-admin migrate", 0, tuple(reports), **facts)


@pytest.mark.parametrize("outcome", [SAW, ASKED], ids=["another upgrade", "an answer"])
def test_an_upgrade_that_ended_before_it_came_to_the_database_is_a_failure_though_the_command_hides_it(
    outcome,
):
    found = inspection_of(hid(Report(1, outcome, looked=("b",), missed=(Missed("a", MISSED),))))
    assert found.failure.name == "ProjectFailed"
    assert found.failure.message == (
        "no tenant. An upgrade ended with this before it had come to the database, and shop-admin migrate ended "
        "with exit code 0 as if all were well: let the command end with an error, or try that upgrade again."
    )
    assert application_of(hid(Report(1, DID, missed=(Missed("a", MISSED),)))).failure == found.failure


def test_one_that_is_tried_again_is_made_good_also_by_another_process():
    missed = Report(1, Inspection(failure=MISSED), missed=(Missed("a", MISSED),))
    again = Report(2, SAW, looked=("a",))
    assert inspection_of(hid(missed, again)).failure is None
    assert inspection_of(hid(again, Report(2, SAW, missed=(Missed("a", MISSED),)))).failure is None


def test_a_command_that_tells_of_it_or_was_asked_to_stop_hides_nothing():
    missed = Report(1, SAW, missed=(Missed("a", MISSED),))
    assert inspection_of(CommandEnd("shop-admin migrate", 1, (missed,))).failure is None
    assert inspection_of(hid(missed, asked_to_stop=True)).failure is None


def test_a_process_that_is_killed_in_a_revision_left_it_and_what_it_had_committed():
    running = Application(applied=("a1",), unfinished="a2", contexts=1)
    done = application_of(end(running, status=-9, kept=Kept("a2", ("CREATE TABLE part",))))
    assert (done.unfinished, done.kept) == ("a2", ("CREATE TABLE part",))
    assert "while revision a2 was running" in done.failure.message
    assert application_of(end(running, status=-9, kept=Kept("a1", ("CREATE TABLE part",)))).kept == ()


def result_of(ended, before, after):
    request = RunRequest(Mode.MIGRATE, "run", (database_request(),), command=("shop-admin", "migrate"))
    return verdict(request, before, application_of(ended), after, stopping=False)


def test_the_class_tells_whether_all_is_applied():
    everything = Inspection(current=("a1",), contexts=1)
    assert result_of(end(DID, status=1), SAW, everything).failure.name == "CommandFailedAfterwards"
    some = Inspection(current=("a1",), contexts=1, pending=(PendingRevision("a2"),))
    assert result_of(end(DID, status=1), SAW, some).failure.name == "CommandFailed"


def test_a_look_that_did_not_come_to_all_that_was_planned_or_migrated_is_no_success():
    two = Application(applied=("a1",), contexts=2, completed=2)
    result = result_of(end(two), SAW, SAW)
    assert result.outcome is Outcome.FAILED
    assert "1 of 2 migration contexts" in result.failure.message
    planned = Inspection(contexts=2)
    assert result_of(end(DID), planned, SAW).failure.name == "CommandFailed"
    assert result_of(end(DID, status=1), planned, SAW).failure.name == "CommandFailed"
    assert result_of(end(DID), SAW, SAW).outcome is Outcome.SUCCEEDED


def test_a_context_that_a_later_process_brings_to_its_end_counts_as_ended():
    place = Place(None, "alembic_version", "")
    failed, done = replace(DID, not_ended=(NotEnded(place, SQL),)), replace(DID, ended=(place,))
    assert application_of(end(failed, done)).not_ended == ()
    assert application_of(end(done, failed)).not_ended == failed.not_ended


def test_a_context_that_a_look_could_not_look_at_is_a_failure_once_nothing_is_pending_elsewhere():
    place = Place(None, "alembic_version", "")
    failed = replace(SAW, not_ended=(NotEnded(place, SQL),))
    assert inspection_of(end(failed)).failure == SQL
    assert inspection_of(end(failed, replace(SAW, seen=(place,)))).failure is None
    lacks = inspection_of(end(replace(failed, pending=(PendingRevision("a2"),))))
    assert (lacks.failure, lacks.not_ended) == (None, failed.not_ended)
    assert "Revision a2 failed" in lacks.warnings[0]


def test_what_an_upgrade_raised_at_its_place_is_made_good_by_any_upgrade_that_looks_there_later():
    place = Place(None, "alembic_version", "")
    several = Failure("InvalidTarget", "Multiple heads are present")
    failed = Inspection(failure=several, not_ended=(NotEnded(place, several),))
    assert inspection_of(end(failed, replace(SAW, seen=(place,)))).failure is None
    elsewhere = replace(SAW, seen=(Place(None, "of_others", ""),))
    assert inspection_of(end(failed, elsewhere)).failure == several
    assert inspection_of(end(failed, ASKED)).failure == several
