"""The triggers that operations of the library left, as the comments on their functions tell.

A function's text hangs on no column in the catalog, so the comment is asked. Of a trigger that fills a column, that
column is the only one that its condition names, and on which it depends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from headway_contract.facts import TriggerFacts
from headway_runner.facts.bounds import TRIGGER_CHARACTERS

LEFT_ON_TABLE = """
  SELECT json_agg(json_build_array(pg_catalog.obj_description(t.tgfoid, 'pg_proc'), (
           SELECT json_agg(DISTINCT a.attname) FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           WHERE d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = t.oid
             AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.tgrelid AND a.attnum > 0
         )) ORDER BY t.tgname)::text
  FROM pg_catalog.pg_trigger t
  WHERE t.tgrelid = s.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND left(t.tgname, 11) = 'zz_headway_'
"""
"""Of the table ``s``, as JSON; one that is disabled does nothing."""

_FILL, _SYNC = "headway fill ", "headway sync "
_OPERATIONS = {"rename": "rename_column_expand", "type": "change_type_expand"}


def triggers_in(text: str | None) -> tuple[TriggerFacts, ...]:
    """What the question has given; an operation has one for INSERT and one for UPDATE, which are told as one."""
    found = (_trigger(comment or "", columns or []) for comment, columns in json.loads(text or "[]"))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _trigger(comment: str, columns: list[str]) -> TriggerFacts | None:
    """None where it is not the library's, or a later one's that says something else."""
    try:
        if comment.startswith(_FILL):
            return _filling(json.loads(comment.removeprefix(_FILL)), columns)
        if comment.startswith(_SYNC):
            return _keeping_equal(json.loads(comment.removeprefix(_SYNC)))
    except (ValueError, TypeError, KeyError):
        pass
    return None


def _filling(mark: dict[str, Any], columns: list[str]) -> TriggerFacts:
    values = tuple(_within_bounds([mark["value"], *mark["before"]]))
    return TriggerFacts("add_column_with_backfill", tuple(columns), values)


def _keeping_equal(mark: dict[str, Any]) -> TriggerFacts:
    return TriggerFacts(_OPERATIONS[mark["kind"]], (str(mark["old"]), str(mark["new"])))


def _within_bounds(values: list[str]) -> Iterator[str]:
    left = TRIGGER_CHARACTERS
    for value in map(str, values):
        if len(value) <= left:
            left -= len(value)
            yield value
