"""Every string of every event, result and plan is decided upon: a text, which is masked, or an identifier."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest

from headway_contract.backfill import BackfillRecord
from headway_contract.events import EVENTS, DocumentPart, Notice, Stopping
from headway_contract.facts import (
    Argument,
    Call,
    DatabaseFacts,
    Ignore,
    RevisionFacts,
    Statement,
    TableFacts,
    TriggerFacts,
)
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_contract.texts import IDENTIFIERS, SPLIT_DOCUMENTS, names_of_texts, with_texts
from headway_contract.wire import Envelope, to_line
from headway_runner.connections.identity import Identity
from headway_runner.processes.child import Kept
from headway_runner.processes.task import Application, Inspection, Missed, NotEnded, Place, Report

RESULTS = (RunResult, BackfillRecord, Failure, Plan, DatabasePlan, PendingRevision)
FACTS = (DatabaseFacts, RevisionFacts, Statement, Call, Argument, Ignore, TableFacts, TriggerFacts)
TOLD = (*EVENTS, *RESULTS, *FACTS, Inspection, Application, Identity, Kept, Report, Missed, Place, NotEnded)
TEXTS = {
    "RevisionStarted.title", "Asked.title", "PassRetried.reason", "Stopping.reason",
    "Notice.message", "Failure.message", "RunResult.notice",
    "PendingRevision.title", "DatabasePlan.notices", "Inspection.notices", "Inspection.warnings",
    "Inspection.places", "Application.kept",
    "Kept.statements", "LockAwaited.holder", "Blocked.sentence",
    "Steered.pause", "Held.reason", "BackfillStarted.reason", "BackfillProgressed.throttled_by",
    "RevisionFacts.title", "RevisionFacts.file", "RevisionFacts.not_renderable", "Statement.sql", "Call.function",
    "Call.blocks", "Argument.text", "Ignore.rule", "Ignore.reason", "TableFacts.schema",
    "TriggerFacts.values",
    "IndexBuilding.phase", "IndexBuilding.waits_for", "Application.place_of_stop",
    "Place.version_table", "Place.shown",
}  # fmt: skip
"""A field that is new stands here, or its name in IDENTIFIERS when it must stay as it is under masking."""


def strings(kind):
    """The fields of a class that are strings, or tuples of strings."""
    hints = typing.get_type_hints(kind)
    return {field.name for field in dataclasses.fields(kind) if "str" in str(hints[field.name])}


def test_every_field_with_a_string_is_decided_upon():
    fields = {f"{kind.__name__}.{name}" for kind in TOLD for name in strings(kind) - IDENTIFIERS}
    assert fields - {f"DocumentPart.{SPLIT_DOCUMENTS}"} == TEXTS


def filled(kind):
    """An instance with the same word in every string."""
    hints = typing.get_type_hints(kind)

    def value(hint):
        if dataclasses.is_dataclass(hint):
            return filled(hint)
        arguments = typing.get_args(hint)
        if typing.get_origin(hint) is tuple:
            return (value(arguments[0]),)
        if arguments:
            return value(next(one for one in arguments if one is not type(None)))
        return {str: "shop", int: 1, float: 1.0, bool: True, Outcome: Outcome.FAILED}[hint]

    return kind(**{field.name: value(hints[field.name]) for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", TOLD)
def test_texts_are_changed_in_every_depth_and_identifiers_are_not(kind):
    def check(before, after, name="", kind=None):
        if dataclasses.is_dataclass(before):
            for field in dataclasses.fields(before):
                check(getattr(before, field.name), getattr(after, field.name), field.name, type(before))
        elif isinstance(before, tuple):
            for one, other in zip(before, after, strict=True):
                check(one, other, name, kind)
        elif isinstance(before, str) and not isinstance(before, Outcome):
            is_text = name not in IDENTIFIERS and (kind is not DocumentPart or name != SPLIT_DOCUMENTS)
            assert (after == "***") is is_text, name

    before = filled(kind)
    check(before, with_texts(before, lambda text: text.replace("shop", "***")))


def test_a_value_in_which_a_text_could_hide_is_refused():
    with pytest.raises(TypeError, match="a dict may hold texts"):
        with_texts(Notice("main", {"a": "b"}), str.upper)


def test_a_value_without_texts_is_the_same_object():
    event = DocumentPart("0" * 64, 0, 1, "shop")
    assert with_texts(event, lambda text: "***") is event
    assert names_of_texts(Stopping) == ("control_sequence", "reason")


def test_a_plan_has_the_same_digest_whatever_is_masked_in_it():
    plan = Plan((DatabasePlan("shop", ("shop1",), ("a2",), (PendingRevision("a2", "for shop", "e3"),)),))
    masked = with_texts(plan, lambda text: text.replace("shop", "***"))
    assert masked.databases[0].pending[0].title == "for ***"
    assert masked.digest == plan.digest
    assert json.loads(to_line(Envelope(1, "", Notice("shop", "x"))).split(" ", 1)[1])["database"] == "shop"
