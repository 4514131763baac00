"""Whatever is said survives the way, whatever is not understood is skipped, and nothing is too large."""

from __future__ import annotations

import dataclasses
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract import wire
from headway_contract.backfill import BackfillRecord
from headway_contract.codec import Undecodable, decode, encode
from headway_contract.control import Control
from headway_contract.events import EVENTS, DocumentPart, Notice, RevisionApplied
from headway_contract.failures import failure_class
from headway_contract.planned import NOT_KNOWN, EnvFacts
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import (
    LIMIT_BYTES,
    DatabasePlan,
    Failure,
    Outcome,
    PendingRevision,
    Plan,
    RunResult,
)
from headway_contract.wire import (
    MARK,
    PART_CHARACTERS,
    Envelope,
    from_line,
    join_document,
    sha256_of,
    split_document,
    to_line,
)

SHORT = st.text(max_size=12)
ASCII = st.text(string.printable, max_size=3 * PART_CHARACTERS)


def events():
    return st.one_of([built(kind) for kind in EVENTS])


def built(kind):
    return st.builds(kind, **{field.name: fields(field.type) for field in dataclasses.fields(kind)})


def fields(kind):
    whole = st.integers(0, 10**9)
    kinds = {str: SHORT, int: whole, float: whole.map(float), bool: st.booleans()}
    if kind is BackfillRecord:
        return built(kind)
    if type(None) in getattr(kind, "__args__", ()):
        return st.none() | fields(kind.__args__[0])
    return kinds[kind] if kind in kinds else st.tuples(SHORT, SHORT)


@given(st.integers(1, 10**6), events())
def test_an_event_survives_the_way(sequence, event):
    assert from_line(to_line(Envelope(sequence, "2026-11-23T08:00:00.000Z", event))).event == event


@given(st.builds(Notice, st.text(max_size=300), st.text(max_size=5000)))
def test_a_line_always_fits_a_pipes_atomic_write(event):
    line = to_line(Envelope(1, "2026-11-23T08:00:00.000Z", event))
    assert len(line.encode()) < 4096
    assert isinstance(from_line(line).event, Notice)


def test_a_line_with_very_many_revisions_is_cut_but_counted():
    from headway_contract.events import Planned

    revisions = tuple(f"{number:032}" for number in range(1000))
    line = to_line(Envelope(1, "2026-11-23T08:00:00.000Z", Planned("main", (), revisions, len(revisions))))
    assert len(line) < 4096
    assert from_line(line).event.count == 1000
    assert from_line(line).event.revisions[0] == revisions[0]


@given(st.text())
def test_any_other_output_is_no_event(text):
    assert from_line(text) is None
    assert from_line(MARK + text) is None or text.startswith("{")


@pytest.mark.parametrize(
    "value",
    [
        {"sequence": 1, "time": "t", "kind": "SomethingNew", "a": 1},
        {"sequence": 1, "time": "t"},
        {"sequence": 1, "time": "t", "kind": "Notice", "database": 7, "message": "wrong type"},
        [1, 2],
        None,
    ],
)
def test_what_this_release_does_not_know_is_skipped(value):
    assert from_line(MARK + json.dumps(value)) is None


def test_fields_of_a_newer_release_are_skipped():
    value = {
        "sequence": 3,
        "time": "t",
        "kind": "RevisionApplied",
        "database": "main",
        "revision": "a1",
        "colour": 7,
    }
    assert from_line(MARK + json.dumps(value)).event == RevisionApplied("main", "a1")


RESULTS = st.builds(
    RunResult,
    outcome=st.sampled_from(Outcome),
    run=st.text(),
    failure=st.none() | st.builds(Failure, st.text(), st.text(max_size=6000), st.text(), st.text()),
    plan=st.none() | st.builds(Plan, st.just(())),
    applied=st.lists(st.text(max_size=400), max_size=60).map(tuple),
    backfills=st.lists(built(BackfillRecord), max_size=12).map(tuple)
    | st.lists(st.builds(BackfillRecord, st.text(max_size=400), st.text(max_size=400)), max_size=12).map(
        tuple
    ),
)


@given(RESULTS)
def test_a_result_always_fits_a_termination_message(result):
    text = result.to_json()
    assert len(text.encode()) <= LIMIT_BYTES
    read = RunResult.from_json(text)
    assert (read.outcome, read.applied_count) == (result.outcome, result.applied_count)


def test_of_many_records_the_latest_stay_and_the_failure_with_them():
    records = tuple(
        BackfillRecord(f"operation {n}" * 9, "t" * 63, *[10**12 + n] * 5, 0.123456, *[10**12] * 5)
        for n in range(40)
    )
    failure = Failure("RevisionFailed", "x" * 800)
    text = RunResult(Outcome.FAILED, "run", failure=failure, backfills=records, backfills_count=40).to_json()
    assert len(text) <= LIMIT_BYTES
    read = RunResult.from_json(text)
    assert read.backfills_count == 40
    assert read.backfills == records[-len(read.backfills) :] != ()
    assert read.failure == failure


@given(ASCII)
def test_a_document_is_joined_from_a_log_in_any_order_and_with_repetitions(text):
    parts = list(split_document(text))
    lines = [to_line(Envelope(number, "t", part)) for number, part in enumerate(parts)]
    assert all(len(line) < 4096 for line in lines)
    assert join_document(sha256_of(text), ["noise", *reversed(lines), *lines]) == text


def test_a_long_document_is_hashed_once_and_not_for_each_of_its_pieces(monkeypatch):
    hashed = []
    monkeypatch.setattr(wire, "sha256_of", lambda text: hashed.append(len(text)) or "digest")
    assert len(list(split_document("x" * (9 * PART_CHARACTERS)))) == 9
    assert hashed == [9 * PART_CHARACTERS]


def test_a_document_with_a_missing_or_damaged_piece_is_none():
    parts = list(split_document("x" * (2 * PART_CHARACTERS + 1)))
    lines = [to_line(Envelope(number, "t", part)) for number, part in enumerate(parts)]
    assert join_document(parts[0].sha256, lines[:-1]) is None
    damaged = to_line(Envelope(9, "t", DocumentPart(parts[0].sha256, 0, 3, "y")))
    assert join_document(parts[0].sha256, [*lines[1:], damaged]) is None


def test_a_request_for_mode_migrate_has_one_database():
    text = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("a"), DatabaseRequest("b"))).to_json()
    with pytest.raises(Undecodable, match="takes one database, not 2"):
        RunRequest.from_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[]", "should be an object"),
        ('{"mode":"Migrate","databases":[]}', "run is missing"),
        ('{"mode":"Fly","run":"r","databases":[]}', "should be one of: Plan, Migrate"),
        ('{"mode":"Plan","run":"r","databases":{}}', "should be a list"),
        ('{"mode":"Plan","run":"r","databases":[{"name":"a","x":[["k"]]}]}', "should have 2 items"),
    ],
)
def test_a_request_that_cannot_be_read_says_where(text, message):
    with pytest.raises(Undecodable, match=message):
        RunRequest.from_json(text)


@given(st.text())
def test_an_unreadable_control_file_is_no_wish(text):
    assert isinstance(Control.from_json(text), Control)
    assert Control.from_json('{"sequence": 3, "st') == Control()


def test_a_failure_of_a_newer_runner_reads_as_unexpected():
    assert failure_class("BrandNew").name == "Unexpected"


def test_values_that_are_the_default_are_left_out():
    assert encode(DatabaseRequest("main")) == {"name": "main"}
    assert decode(DatabaseRequest, {"name": "main"}) == DatabaseRequest("main")


def test_the_digest_of_a_plan_changes_with_what_would_run():
    def digest(sha):
        return Plan((DatabasePlan("main", pending=(PendingRevision("a1", "title", sha),)),)).digest

    assert digest("1") != digest("2")
    assert digest("1") == digest("1")


def test_the_digest_of_a_database_is_about_what_runs_and_not_about_the_order_of_branches():
    def digest(*revisions, **fields):
        pending = tuple(PendingRevision(*one) for one in revisions)
        return DatabasePlan("main", **{"pending": pending, "starts": (("a0",),), **fields}).digest

    one, two = ("a1", "title", "1"), ("b1", "title", "2")
    assert digest(one, two) == digest(two, one) == digest(one, two, notices=("said",))
    changed = [
        digest(one),
        digest(one, ("b1", "title", "3")),
        digest(one, two, target=("b1",)),
        digest(one, two, starts=(("a0",), ())),
        digest(one, two, downgrade=True),
    ]
    assert len({digest(one, two), *changed}) == 6


def test_the_plan_of_an_older_runner_holds_nobody_to_anything():
    assert DatabasePlan("main", current=("a1",)).planned is None


def test_what_the_look_learned_of_env_py_goes_with_the_plan_and_is_no_part_of_its_digest():
    plan = DatabasePlan("main", starts=((),), env=EnvFacts(contexts=1, writes=True, libpq=True))
    assert plan.planned.env == plan.env
    assert plan.digest == DatabasePlan("main", starts=((),)).digest
    request = RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main", planned=plan.planned),))
    assert '"env":{"contexts":1,"writes":true,"libpq":true}' in request.to_json()
    assert RunRequest.from_json(request.to_json()) == request


def test_a_plan_of_an_older_release_tells_nothing_of_env_py():
    text = '{"mode":"Migrate","run":"r","databases":[{"name":"main","planned":{"digest":"sha256:1","starts":[[]]}}]}'
    assert RunRequest.from_json(text).databases[0].planned.env == NOT_KNOWN
