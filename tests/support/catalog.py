"""What the catalog of a PostgreSQL database has: equal before and after means that nothing is left behind."""

from __future__ import annotations

from support.postgres import Database

QUERIES = {
    "columns": """
        SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
          pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d
        ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND {ours}""",
    "constraints": """
        SELECT k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid), k.convalidated
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype <> 'n' AND {ours}""",
    "indexes": """
        SELECT x.indrelid::regclass::text, c.relname, pg_get_indexdef(c.oid), x.indisvalid
        FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE {ours}""",
    "triggers": """
        SELECT c.oid::regclass::text, t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {ours}""",
    "functions": """
        SELECT c.proname, c.prosrc FROM (SELECT *, pronamespace AS relnamespace FROM pg_proc) c WHERE {ours}""",
}
OURS = "c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')"


def catalog(database: Database, *without: str) -> dict[str, list[tuple]]:
    """Everything that operations make, in order; `without` are names of tables that do not count."""
    found = {kind: sorted(database.rows(query.format(ours=OURS)), key=str) for kind, query in QUERIES.items()}
    return {kind: [row for row in rows if row[0] not in without] for kind, rows in found.items()}
