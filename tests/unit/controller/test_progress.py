"""The pace of advisory writes, and what counts as advisory."""

from dataclasses import replace

from headway_operator.api.status import (
    BackfillStatus,
    Condition,
    DatabasePhase,
    DatabaseStatus,
    FinishedBackfill,
    Progress,
    Status,
)
from headway_operator.cluster.interface import Key
from headway_operator.controller.progress import SECONDS_PER_RESOURCE, Pacer, is_advisory

STATUS = Status(databases=(DatabaseStatus("main", DatabasePhase.MIGRATING, revisions_done=1),))


def test_one_resource_writes_progress_once_in_two_seconds() -> None:
    pacer, key = Pacer(), Key("shop", "a")
    assert pacer.wait(key, 100.0) == 0
    pacer.wrote(key, 100.0)
    assert pacer.wait(key, 100.5) == SECONDS_PER_RESOURCE - 0.5
    assert pacer.wait(key, 102.0) == 0


def test_all_resources_together_write_progress_twenty_times_in_a_second() -> None:
    pacer, written, now = Pacer(), 0, 100.0
    for step in range(1000):
        now = 100.0 + step / 1000
        key = Key("shop", str(step))
        if pacer.wait(key, now) == 0:
            pacer.wrote(key, now)
            written += 1
    assert written <= 21


def test_counts_and_words_are_advisory() -> None:
    database = replace(
        STATUS.databases[0], revisions_done=2, message="revision 2 of 7", current_revision="b2"
    )
    condition = Condition("Ready", "Unknown", "Migrating", "before")
    old = replace(STATUS, conditions=(condition,))
    new = Status(
        databases=(database,),
        progress=Progress("1/3"),
        conditions=(replace(condition, message="after"),),
    )
    assert is_advisory(old, new)


def test_a_change_of_phase_attempt_or_condition_is_not() -> None:
    (database,) = STATUS.databases
    assert not is_advisory(STATUS, replace(STATUS, databases=(replace(database, attempt=2),)))
    assert not is_advisory(
        STATUS, replace(STATUS, databases=(replace(database, phase=DatabasePhase.SUCCEEDED),))
    )
    assert not is_advisory(STATUS, replace(STATUS, observed_generation=4))


def test_that_a_backfill_begins_goes_on_and_ends_is_advisory() -> None:
    (database,) = STATUS.databases
    old = replace(
        STATUS,
        phase="Migrating",
        conditions=(
            Condition("Ready", "Unknown", "Migrating"),
            Condition("BackfillComplete", "Unknown", "NotDone"),
        ),
    )
    filling = replace(
        database,
        phase=DatabasePhase.BACKFILLING,
        backfill=BackfillStatus("a1", "fill", "users", percent=42),
        backfills=(FinishedBackfill("other"),),
    )
    new = replace(
        old,
        phase="Backfilling",
        databases=(filling,),
        conditions=(
            Condition("Ready", "Unknown", "Backfilling"),
            Condition("BackfillComplete", "False", "Backfilling"),
        ),
    )
    assert is_advisory(old, new)
    assert is_advisory(new, old)


def test_progress_waits_its_time_after_any_write_of_the_resource() -> None:
    pacer, key = Pacer(), Key("shop", "a")
    pacer.noted(key, 100.0)
    assert pacer.wait(key, 100.5) == SECONDS_PER_RESOURCE - 0.5
    assert pacer.wait(Key("shop", "b"), 100.5) == 0
