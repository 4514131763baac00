"""Revisions that are taken back are told as that, and most of all before a person approves it."""

import io
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headway_cli import approving
from headway_cli.board import Spans, board_of
from headway_cli.ending import Ending
from headway_cli.report import item_of_event, items_of_status
from headway_cli.summary import summary
from headway_contract import events
from headway_contract.planned import Planned
from headway_operator.api.status import (
    Condition,
    DatabasePhase,
    DatabaseStatus,
    Pending,
    PlanStatus,
    Run,
    Status,
)
from headway_operator.planner.snapshot import JobProgress

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DIGEST = "sha256:1a57"
UP = DatabaseStatus(
    "audit", current_revision="e1", target_revision="e3", revisions_total=2,
    pending=(Pending("e2", "two"), Pending("e3", "three")), pending_count=2, planned=Planned(DIGEST, (("e1",),)),
)  # fmt: skip
BACK = DatabaseStatus(
    "main", current_revision="a2", target_revision="a1", revisions_total=1, pending=(Pending("a2", "invoices"),),
    pending_count=1, planned=Planned(DIGEST, (("a2",),), downgrade=True),
)  # fmt: skip


def waiting(*databases):
    plan = PlanStatus(
        DIGEST, sum(one.revisions_total for one in databases), len(databases), completion_time="x"
    )
    waits = Condition("Succeeded", "Unknown", "WaitingForApproval", "")
    return Status(1, "Waiting", run=Run("1"), plan=plan, databases=databases, conditions=(waits,))


def words(status):
    names = tuple(one.name for one in status.databases)
    board = board_of("shop", names, status, {}, Spans(NOW, {}), NOW, 4)
    return [line.plain for line in summary(Ending(status, board, False), ("headway",), str, has_table=False)]


@pytest.mark.parametrize(
    ("databases", "told"),
    [
        ((BACK,), "plan: 1 revision to take back in 1 database"),
        ((UP,), "plan: 2 revisions to apply in 1 database"),
        ((UP, BACK), "plan: 2 revisions to apply, 1 to take back in 2 databases"),
        ((BACK, replace(BACK, name="b")), "plan: 2 revisions to take back in 2 databases"),
    ],
)
def test_a_plan_says_which_way_it_leads(databases, told):
    (item,) = items_of_status(Status(run=Run("1")), replace(waiting(*databases), databases=databases), 4)
    assert item.message == told


def test_before_it_is_approved_each_revision_that_would_be_taken_back_is_shown_as_that():
    told = words(waiting(BACK, UP))
    assert "  main  takes back a2  invoices" in told
    assert "  audit  e2  two" in told


def test_the_question_on_a_terminal_says_where_revisions_are_taken_back(monkeypatch, capsys):
    monkeypatch.setattr(approving, "can_ask", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert not approving.is_approved(DIGEST, "", ("main", "audit"))
    assert not approving.is_approved(DIGEST, "", ())
    assert capsys.readouterr().err == (
        f"Approve the plan {DIGEST}, which takes revisions back in main, audit? [y/N] "
        f"Approve the plan {DIGEST}? [y/N] "
    )


def test_each_revision_is_told_as_taken_back():
    progress = JobProgress("job")
    started = events.RevisionStarted("main", "a2", "invoices", 1, 1)
    applied = events.RevisionApplied("main", "a2", milliseconds=20)
    assert item_of_event("main", started, progress, takes_back=True).message == "taking back 1/1 a2: invoices"
    assert item_of_event("main", applied, progress, takes_back=True).message == "took back 1/1 a2 (0.02 s)"
    assert item_of_event("main", applied, progress).message == "applied 1/1 a2 (0.02 s)"


def test_the_last_words_say_what_was_taken_back():
    done = replace(BACK, phase=DatabasePhase.SUCCEEDED, revisions_done=1, current_revision="a1", pending=())
    status = Status(1, "Succeeded", run=Run("1"), databases=(done,))
    assert "  main  1 revision taken back  at a1" in words(status)
