"""What a runner tells can be written on, whatever encoding its texts were read in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_contract.events import Notice
from headway_contract.read_json import read_json
from headway_contract.result import DatabasePlan, Failure, Outcome, PendingRevision, Plan, RunResult
from headway_contract.wire import Envelope, from_line, to_line

LATIN = b"caf\xe9".decode(errors="surrogateescape")
ANY = st.characters() | st.characters(categories=["Cs"])
TEXTS = st.text(ANY, max_size=20)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=9,
)


@given(VALUES, st.booleans())
def test_every_text_can_be_encoded_and_what_could_be_is_the_same(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    found = read_json(text)
    json.dumps(found, ensure_ascii=False).encode()
    try:
        text.encode()
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert found == json.loads(text)


def test_a_lone_surrogate_is_replaced_and_a_pair_is_the_character_that_it_is():
    assert read_json('["caf\\udce9", "\\uDCE9", "\\ud83d\\ude00"]') == ["caf�", "�", "😀"]


def test_what_is_no_json_is_said_to_be_none():
    with pytest.raises(ValueError, match="Expecting value"):
        read_json("Killed")


def test_events_results_and_plans_are_read_so():
    event = from_line(to_line(Envelope(1, "", Notice("main", LATIN))))
    result = RunResult.from_json(
        RunResult(Outcome.FAILED, "r1", failure=Failure("RevisionFailed", LATIN, "a1")).to_json()
    )
    plan = Plan.from_json(Plan((DatabasePlan("main", (), (), (PendingRevision("a1", LATIN),)),)).to_json())
    assert event is not None
    assert event.event == Notice("main", "caf�")
    assert result is not None
    assert result.failure == Failure("RevisionFailed", "caf�", "a1")
    assert plan is not None
    assert plan.databases[0].pending[0].title == "caf�"
