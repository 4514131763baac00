"""After which runs libpq alone may confirm that all is as it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.result import Failure, PendingRevision
from headway_runner.connections.identity import Identity
from headway_runner.looks.last_look import (
    REASONS,
    End,
    a_revision_did_not_end,
    it_ended_elsewhere,
    it_failed,
    it_was_asked_to_stop,
    its_one_context_did_not_end,
    something_waits_behind_the_gate,
    the_way_back_is_not_known,
    through_env_is_needed,
)
from headway_runner.processes.task import Application, VersionTable, WayBack

WAY = WayBack(
    "/lib/libpq.so.5", (), Identity("shop"), VersionTable("public", "alembic_version", ("a2", "b1"))
)
RUN = Application(applied=("a2", "b1"), heads=("b1", "a2"), contexts=1, completed=1)
GOOD = End(RUN, WAY, is_stopping=False)
FAILURE = Failure("RevisionFailed", "no")
OTHERS = {
    "it_was_asked_to_stop": {"stopped": True},
    "it_failed": {"failure": FAILURE},
    "it_failed, which env.py hid": {"seen": FAILURE},
    "a_revision_did_not_end": {"unfinished": "a2"},
    "a_revision_did_not_end, and left something": {"kept": ("CREATE TABLE a2",)},
    "something_waits_behind_the_gate": {"post_deploy": (PendingRevision("a3"),)},
    "its_one_context_did_not_end": {"completed": 0},
    "its_one_context_did_not_end, of two": {"contexts": 2, "completed": 2},
    "it_ended_elsewhere": {"heads": ("a2",)},
    "it_ended_elsewhere, with one more": {"heads": ("a2", "b1", "c1")},
}


def why(end: End) -> list[str]:
    return [reason.__name__ for reason in REASONS if reason(end)]


def test_a_run_that_came_to_its_heads_leaves_nothing_to_be_worded():
    assert not through_env_is_needed(GOOD)


@pytest.mark.parametrize(("name", "facts"), OTHERS.items(), ids=OTHERS)
def test_each_reason_alone_is_enough(name, facts):
    end = replace(GOOD, run=replace(RUN, **facts))
    assert why(end) == [name.split(",")[0]]
    assert through_env_is_needed(end)


def test_a_stop_that_came_when_all_was_done_is_enough():
    assert why(replace(GOOD, is_stopping=True)) == ["it_was_asked_to_stop"]


def test_without_a_way_back_there_is_nothing_to_ask():
    assert why(replace(GOOD, way_back=None)) == ["the_way_back_is_not_known", "it_ended_elsewhere"]


def test_the_reasons_are_asked_in_this_order():
    assert (
        it_was_asked_to_stop,
        it_failed,
        a_revision_did_not_end,
        something_waits_behind_the_gate,
        its_one_context_did_not_end,
        the_way_back_is_not_known,
        it_ended_elsewhere,
    ) == REASONS


def test_the_credentials_in_it_are_not_shown_with_it():
    assert "s3cret" not in repr(replace(WAY, arguments=(("password", "s3cret"),)))
