"""The wire as released: golden lines of every kind are read and written exactly as they stand in `golden/`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from headway_contract.control import Control
from headway_contract.events import EVENTS
from headway_contract.failures import FAILURES
from headway_contract.request import RunRequest
from headway_contract.result import Plan, RunResult
from headway_contract.wire import from_line, to_line

GOLDEN = Path(__file__).parent / "golden"
EVENT_LINES = (GOLDEN / "events.log").read_text().splitlines()
ENVELOPE = {"sequence", "time", "kind"}


@pytest.mark.parametrize("line", EVENT_LINES, ids=lambda line: line.split('"kind":"')[1].split('"')[0])
def test_an_event_is_written_as_it_always_was(line):
    envelope = from_line(line)
    assert envelope is not None
    assert to_line(envelope) == line


def test_every_kind_of_event_has_a_golden_line_with_every_field():
    shown = {type(from_line(line).event): from_line(line).event for line in EVENT_LINES}
    assert set(shown) == set(EVENTS)
    for kind, event in shown.items():
        for field in dataclasses.fields(kind):
            assert getattr(event, field.name) != field.default, (
                f"{kind.__name__}.{field.name} is not in its line"
            )


def test_no_field_of_an_event_has_a_name_of_the_envelope():
    assert all(field.name not in ENVELOPE for kind in EVENTS for field in dataclasses.fields(kind))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("request", RunRequest),
        ("request_with_drift", RunRequest),
        ("result", RunResult),
        ("result_with_drift", RunResult),
        ("plan", Plan),
        ("plan_with_drift", Plan),
        ("control", Control),
    ],
)
def test_a_document_is_written_as_it_always_was(name, kind):
    text = (GOLDEN / f"{name}.json").read_text().strip()
    value = kind.from_json(text)
    assert value is not None
    assert value.to_json() == text


def test_failure_classes_keep_their_name_exit_code_and_retry():
    lines = [f"{one.name} {int(one.exit_code)} {'retry' if one.retry else 'final'}" for one in FAILURES]
    assert lines == (GOLDEN / "failures.txt").read_text().splitlines()
    assert len({one.name for one in FAILURES}) == len(FAILURES)
    assert all(one.meaning.endswith(".") and len(one.next_step) > 10 for one in FAILURES)
