"""What a backfill is in a script (``--sql``): on PostgreSQL a block that commits after each piece of the table.

Where nothing but the text is known, only what may happen twice is done so: a sweep along blocks meets rows again that
its own updates, or others', have moved. Everything else is one plain statement, with a word on what that means.
"""

from headway.backfills.known import Asked, names_a_target
from headway.place import Place
from headway.sync.names import dollar_quoted, identifier, literal, qualified

BLOCKS = 64
"""Of a piece: half a MiB, some thousand rows, some ten milliseconds."""
_ONE_BY_ONE = """DECLARE
    leaf regclass;
    blocks bigint;
    first bigint;
BEGIN
    -- A second pass finds what others have moved past the first one.
    FOR pass IN 1..2 LOOP
        FOR leaf IN
            WITH RECURSIVE tree AS (SELECT {table}::regclass::oid AS oid
                UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON tree.oid = i.inhparent)
            SELECT c.oid::regclass FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid WHERE c.relkind = 'r'
        LOOP
            blocks := pg_relation_size(leaf) / current_setting('block_size')::bigint;
            first := 0;
            WHILE first < blocks LOOP
                EXECUTE 'UPDATE ONLY ' || leaf || {update}
                    USING format('(%s,0)', first)::tid, format('(%s,0)', first + {size})::tid;
                COMMIT;
                first := first + {size};
            END LOOP;
        END LOOP;
    END LOOP;
END"""


def write_script(place: Place, asked: Asked) -> None:
    """Into Alembic's output."""
    if place.is_postgres and _may_happen_twice(asked):
        return _write_pieces(place, asked)
    table = place.name(asked.schema, asked.table)
    update = f"UPDATE {table} SET {_assignments(place, asked)}"
    # A semicolon behind a comment would be part of it.
    if asked.where:
        update += f" WHERE ({asked.where})" if asked.where.endswith("\n") else f" WHERE {asked.where}"
    elif update.endswith("\n"):
        update += "WHERE TRUE"
    place.write(
        "-- headway.backfill: online, this is done in batches of about 100 ms, each committed with its checkpoint.",
        "-- As one statement it locks all the rows that it updates until the end; on a large table run it in parts.",
        _plain(update),
    )


def _may_happen_twice(asked: Asked) -> bool:
    if asked.exactly_once is not None or asked.synced:
        return not asked.exactly_once
    return not names_a_target(asked)


def _write_pieces(place: Place, asked: Asked) -> None:
    chosen = f" AND ({asked.where})" if asked.where else ""
    update = _plain(
        f" AS {identifier(asked.table)} SET {_assignments(place, asked)} "
        f"WHERE {identifier(asked.table)}.ctid >= $1 AND {identifier(asked.table)}.ctid < $2{chosen}"
    )
    block = _ONE_BY_ONE.format(
        table=literal(qualified(asked.schema, asked.table)), update=literal(update), size=BLOCKS
    )
    with place.outside():
        place.write(
            f"-- headway.backfill: the table is updated {BLOCKS} blocks at a time, each committed by itself. So this",
            "-- must run outside of a transaction, statement by statement as psql does it. Interrupted, begin",
            "-- again with it. Online, it keeps its place, and slows down when replicas lag or others wait for it.",
            "-- Before PostgreSQL 14 each piece reads the whole table.",
            f"DO {dollar_quoted(block)}",
        )


def _assignments(place: Place, asked: Asked) -> str:
    return ", ".join(f"{place.name(column)} = {sql}" for column, sql in asked.assignments)


def _plain(sql: str) -> str:
    """As it goes to the server, without the escapes for parameters."""
    return sql.replace("\\:", ":")
