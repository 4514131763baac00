"""A statement that builds an index, or that may wait, is recognised by its text, however it is written."""

from __future__ import annotations

import pytest

from headway_runner.statements.index_statements import Rebuild, built, rebuilt
from headway_runner.statements.patience import _ALONE, _ANYWHERE, _SETS


@pytest.mark.parametrize(
    ("statement", "facts"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", ("t", "i", "(a)", True, False)),
        (
            "\n  create unique index concurrently if not exists I\n on only Public.T using btree (a)",
            ("Public.T", "i", "unique (a)", True, True),
        ),
        (
            'CREATE INDEX CONCURRENTLY "My ""Index" ON "s"."My Table" (a)',
            ('"s"."My Table"', 'My "Index', "(a)", True, False),
        ),
        ("CREATE INDEX i ON t (a)", ("t", "i", "(a)", False, False)),
        ("CREATE INDEX IF NOT EXISTS i ON t (a)", ("t", "i", "(a)", False, True)),
        ("CREATE INDEX CONCURRENTLY ON t ( a , lower( b ) );", ("t", "", "(a,lower(b))", True, False)),
        ("/* slow */ -- really\nCREATE INDEX CONCURRENTLY i ON t (a)", ("t", "i", "(a)", True, False)),
        ("CREATE INDEX CONCURRENTLY i ON t USING gin (a)", ("t", "i", "using gin(a)", True, False)),
        ("DROP INDEX CONCURRENTLY i", None),
        ("SELECT 'CREATE INDEX CONCURRENTLY i ON t (a)'", None),
    ],
)
def test_a_build_is_recognised_with_its_names(statement, facts):
    found = built(statement)
    assert facts == (
        found and (found.table, found.index, found.definition, found.concurrently, found.if_not_exists)
    )


def test_what_the_server_shows_of_an_index_compares_equal_to_what_was_written():
    shown = built("CREATE UNIQUE INDEX t_a_idx ON public.t USING btree (a, b)")
    assert shown.definition == built('create unique index concurrently on t ("a",b);').definition


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("REINDEX INDEX CONCURRENTLY s.i", Rebuild("index", "s.i")),
        ("reindex (verbose, concurrently) table t", Rebuild("table", "t")),
        ("REINDEX (CONCURRENTLY false) TABLE t", None),
        ("REINDEX TABLE t", None),
        ("REINDEX DATABASE CONCURRENTLY", Rebuild("database", "")),
    ],
)
def test_a_concurrent_rebuild_is_recognised(statement, found):
    assert rebuilt(statement) == found


@pytest.mark.parametrize(
    ("statement", "alone", "anywhere"),
    [
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", True, False),
        ("DROP INDEX CONCURRENTLY IF EXISTS i", True, False),
        ("REINDEX (VERBOSE, CONCURRENTLY) INDEX i", True, False),
        ("REINDEX TABLE CONCURRENTLY t", True, False),
        ("ALTER TABLE s.t DETACH PARTITION s.t1 CONCURRENTLY", True, False),
        ("ALTER TABLE t DETACH PARTITION t1", False, False),
        ("ALTER TABLE ONLY t VALIDATE CONSTRAINT c", False, True),
        ('alter table if exists "T" validate constraint a, validate constraint "b";', False, True),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN d int", False, False),
        ("ALTER TABLE t ADD COLUMN concurrently int", False, False),
        ("ALTER DOMAIN d VALIDATE CONSTRAINT c", False, False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", False, True),
        ("REFRESH MATERIALIZED VIEW v", False, False),
        ("CREATE INDEX i ON t (a)", False, False),
    ],
)
def test_statements_that_may_wait_are_told_from_those_that_hold_others_up(statement, alone, anywhere):
    assert (bool(_ALONE.match(statement)), bool(_ANYWHERE.match(statement))) == (alone, anywhere)


@pytest.mark.parametrize(
    ("statement", "sets"),
    [
        ("SET lock_timeout = '5s'", True), ("set session lock_timeout to 0", True),
        ("SELECT set_config('lock_timeout', '1s', false)", True),
        ("SET LOCAL lock_timeout = '5s'", False), ("SHOW lock_timeout", False),
    ],
)  # fmt: skip
def test_a_time_out_of_the_revision_s_own_is_noticed(statement, sets):
    assert bool(_SETS.match(statement)) == sets
