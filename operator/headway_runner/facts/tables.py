"""The tables of a database as its catalog knows them, with estimated sizes: one statement, and no lock on a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy.engine import Connection

from headway_contract.facts import RevisionFacts, TableFacts, TriggerFacts
from headway_runner.connections.dbapi import adapter_of, query
from headway_runner.facts.bounds import CATALOG_ROWS, TABLES, TRIGGERS
from headway_runner.facts.triggers import LEFT_ON_TABLE, triggers_in

_POSTGRESQL = f"""
WITH RECURSIVE sizes AS (
  SELECT c.oid, c.relkind, c.relnamespace, c.relname,
         CASE WHEN c.reltuples > 0 OR (c.reltuples = 0 AND c.relpages > 0) THEN c.reltuples::bigint
              WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
              WHEN c.reltuples = 0 AND current_setting('server_version_num')::int >= 140000 THEN 0
         END AS n,
         c.relpages AS heap, c.relpages::bigint + coalesce(t.relpages, 0)
           + coalesce((SELECT sum(i.relpages) FROM pg_catalog.pg_index x
                       JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid), 0) AS pages
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
  WHERE c.relkind IN ('r', 'p', 'm')
), parts AS (
  SELECT inhparent AS root, inhrelid AS leaf FROM pg_catalog.pg_inherits
  UNION ALL
  SELECT p.root, i.inhrelid FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.leaf
), partitioned AS (
  SELECT p.root, sum(s.n) AS n, sum(s.pages) AS pages
  FROM parts p JOIN sizes s ON s.oid = p.leaf AND s.relkind = 'r' GROUP BY p.root
)
SELECT n.nspname, s.relname,
       CASE WHEN s.relkind = 'p' THEN coalesce(p.n, 0) ELSE s.n END,
       CASE WHEN s.relkind = 'p' THEN coalesce(p.pages, 0) WHEN s.n > 0 AND s.heap = 0 THEN NULL
            WHEN s.n IS NULL AND s.pages = 0 THEN NULL ELSE s.pages END
         * current_setting('block_size')::bigint,
       (SELECT json_agg(a.attname ORDER BY a.attnum)::text FROM pg_catalog.pg_attrdef d
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = s.oid),
       ({LEFT_ON_TABLE})
FROM sizes s JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace LEFT JOIN partitioned p ON p.root = s.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY s.pages DESC, n.nspname, s.relname LIMIT {CATALOG_ROWS + 1}
"""
"""Pages as the last VACUUM or ANALYZE counted them: their functions would wait for whoever locks a table."""

_MYSQL = f"""
SELECT '', table_name, table_rows, data_length + index_length, NULL, NULL
FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'
ORDER BY data_length DESC LIMIT {CATALOG_ROWS + 1}
"""

_QUESTIONS = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL}
_WORD = re.compile(r"\w+")


def all_tables(connection: Connection) -> tuple[TableFacts, ...] | None:
    """The largest first; None where no catalog tells sizes. Ends no transaction that was begun before."""
    question = _QUESTIONS.get(connection.dialect.name)
    if question is None:
        return None
    adapter = adapter_of(connection)
    found = query(adapter, question)
    if not connection.in_transaction():
        adapter.commit()
    return tuple(
        TableFacts(
            str(name),
            str(schema),
            _number(rows),
            _number(size),
            tuple(json.loads(defaults or "[]")),
            triggers_in(triggers),
        )
        for schema, name, rows, size, defaults, triggers in found
    )


def touched(tables: Iterable[TableFacts], revisions: Iterable[RevisionFacts]) -> tuple[TableFacts, ...]:
    """Those whose name stands in a statement or a call, and their columns alike: some too many, none too few.

    However it is written: PostgreSQL reads a name without quotes in small letters.
    """
    told_words = {word for one in revisions for text in _texts(one) for word in _words(text)}

    def is_named(name: str) -> bool:
        return told_words.issuperset(_words(name))

    def is_concerned(trigger: TriggerFacts) -> bool:
        named = any(map(is_named, trigger.columns))
        return named or any(not told_words.isdisjoint(_words(value)) for value in trigger.values)

    told: list[TableFacts] = []
    room = TRIGGERS
    for table in [table for table in tables if is_named(table.name)][:TABLES]:
        defaults = tuple(filter(is_named, table.defaults))
        triggers = tuple(filter(is_concerned, table.triggers))[:room]
        room -= len(triggers)
        told.append(replace(table, defaults=defaults, triggers=triggers))
    return tuple(told)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _texts(revision: RevisionFacts) -> Iterable[str]:
    yield from (statement.sql for statement in revision.statements)
    yield from (argument.text for call in revision.calls for argument in call.arguments)


def _number(value: object) -> int | None:
    return None if value is None else max(int(str(value).partition(".")[0]), 0)
