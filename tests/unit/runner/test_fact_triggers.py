"""The triggers of the library that a catalog has told: what is read of them, and how many are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from headway_contract.facts import Argument, Call, RevisionFacts, TableFacts, TriggerFacts
from headway_runner.facts.bounds import TRIGGER_CHARACTERS, TRIGGERS
from headway_runner.facts.tables import touched
from headway_runner.facts.triggers import triggers_in


def read(comment, columns=("shelf",)):
    return triggers_in(json.dumps([[comment, columns and list(columns)]]))


def a_filling(value, *before):
    return "headway fill " + json.dumps({"value": value, "before": before, "later": "than this release"})


@pytest.mark.parametrize(
    "comment",
    [
        None,
        "somebody's own",
        "headway fill ",
        "headway fill [1]",
        "headway fill null",
        'headway fill {"value": "1"}',
        "headway sync {",
        'headway sync {"old": "a", "new": "b"}',
        'headway sync {"old": "a", "new": "b", "kind": "split"}',
        'headway sync {"old": "a", "new": "b", "kind": ["rename"]}',
    ],
)
def test_a_comment_that_is_not_of_the_library_is_no_trigger_and_no_error(comment):
    assert read(comment) == ()


def test_a_table_without_any_tells_none():
    assert triggers_in(None) == ()
    assert read(a_filling("1"), columns=None) == (TriggerFacts("add_column_with_backfill", (), ("1",)),)


def test_values_that_are_too_long_are_left_out_whole():
    long = "x" * (TRIGGER_CHARACTERS - 1)
    (one,) = read(a_filling(long, "too", "y"))
    assert one.values == (long, "y")
    (one,) = read(a_filling(long + "xx"))
    assert (one.columns, one.values) == (("shelf",), ())


def books(*triggers, name="books"):
    return TableFacts(name, triggers=triggers)


def a_revision(*words):
    return RevisionFacts(
        "a1", calls=(Call("f", 1, arguments=tuple(Argument(f"'{word}'") for word in words)),)
    )


def test_those_are_told_of_which_a_revision_names_a_column():
    reads = TriggerFacts("add_column_with_backfill", ("shelf",), ("'S' || pages",))
    pair = TriggerFacts("rename_column_expand", ("title", "the name"))

    def told(*words):
        return touched([books(reads, pair)], [a_revision("books", *words)])[0].triggers

    assert told("pages") == told("shelf") == (reads,)
    assert told("the name") == told("title") == (pair,)
    assert told("name", "author") == ()
    assert touched([books(reads)], [a_revision("pages")]) == ()


def test_names_are_found_however_they_are_written():
    reads = TriggerFacts("add_column_with_backfill", ("shelf",), ("'S' || Pages",))
    for table, words in (
        ("books", ("BOOKS", "Pages")),
        ("Books", ("books", "pages")),
        ("books", ("Books", "SHELF")),
    ):
        (one,) = touched(
            [replace(books(reads, name=table), defaults=("Pages", "shelf"))], [a_revision(*words)]
        )
        assert one.triggers == (reads,)
        assert len(one.defaults) == 1


def test_no_more_are_told_than_a_log_may_hold():
    many = [
        books(
            *(TriggerFacts("rename_column_expand", ("a", f"b{n}")) for n in range(TRIGGERS - 10)), name=name
        )
        for name in ("books", "papers")
    ]
    told = touched(many, [a_revision("books", "papers", "a")])
    assert [len(one.triggers) for one in told] == [TRIGGERS - 10, 10]
