"""What is backfilled in the proofs: a table, a revision, and what other sessions do to the rows meanwhile.

Every row tells its own story, so that the end can be checked row by row: `kind` says who made it (``s`` was there
before, ``o`` an application that does not know the new column, ``n`` one that fills it), `phase` in which of the
runs, and `applied` how often the backfill changed it. Rows that are deleted go to the table `gone`.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

TARGET = "CASE WHEN source % 2 = 0 THEN 'even' ELSE 'odd' END"
"""What the new column has to be; also as a question that the table itself answers."""

TABLE = """
    CREATE TABLE items (
        {key},
        source int NOT NULL,
        pad text NOT NULL,
        bumps int NOT NULL DEFAULT 0,
        phase int NOT NULL DEFAULT 0,
        kind char NOT NULL DEFAULT 's',
        target text,
        balance bigint NOT NULL DEFAULT 0,
        applied int NOT NULL DEFAULT 0
    ) {partition_by};
    {key_or_index};
    CREATE TABLE gone (LIKE items);
    CREATE TABLE stage (phase int NOT NULL);
    INSERT INTO stage VALUES (0);
"""
FUNCTION = f"""
    CREATE FUNCTION right_target(source int) RETURNS text STABLE LANGUAGE sql AS $$ SELECT {TARGET} $$;
"""
"""For the database, `right_target(source)` may be something else tomorrow: no condition tells which rows are done."""
SYNC = f"""
    CREATE FUNCTION items_sync() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.target := {TARGET.replace("source", "NEW.source")}; RETURN NEW; END $$;
    CREATE TRIGGER items_sync BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION items_sync();
"""
"""New and changed rows are filled by the database itself."""
PARTITIONS = "".join(
    f"CREATE TABLE items_{n} PARTITION OF items FOR VALUES WITH (MODULUS 3, REMAINDER {n});" for n in range(3)
)


@dataclass(frozen=True)
class Key:
    """A primary key, and how other sessions find, make and move rows by it."""

    columns: str
    definition: str
    seeded: str
    """Expressions for row number `n`."""
    fresh: str
    """Expressions for a row that is added later; drawn anew for each."""
    somewhere: str
    """Expressions for a random place in the table."""
    moved: str = ""
    """An assignment that moves a row to another place of the key's order; empty: keys stay."""


SPREAD = 1_000_000
BIGINT = Key(
    "id",
    "id bigint NOT NULL",
    "n * 3",
    f"(random() * {SPREAD})::bigint * 3 + 1 + (random() > 0.5)::int",
    "(random() * {rows} * 3)::bigint",
    "id = -id",
)
COMPOSITE = Key(
    "tenant, id",
    "tenant int NOT NULL, id bigint NOT NULL",
    "n % 7, n * 3",
    f"(random() * 8)::int, (random() * {SPREAD})::bigint * 3 + 1 + (random() > 0.5)::int",
    "(random() * 7)::int, (random() * {rows} * 3)::bigint",
    "tenant = -1 - tenant",
)
UUID = Key(
    "id",
    "id uuid NOT NULL DEFAULT gen_random_uuid()",
    "gen_random_uuid()",
    "gen_random_uuid()",
    "gen_random_uuid()",
    "id = gen_random_uuid()",
)
LATER = Key(
    "id",
    "id bigint NOT NULL",
    "n * 3",
    f"{SPREAD} + (random() * 1e12)::bigint",
    "(random() * {rows} * 3)::bigint",
)
"""New rows only behind all that were there, as a sequence gives them; keys stay."""

STRIPED = "blocks in stripes"
BLOCKS = "blocks in order"
KEYSET = "along the key"

AT_ONCE = "import random\nfrom headway.backfills import staffing\nstaffing.ADD_SECONDS = 0.0\n"
"""Further sessions come without the wait for what the last one does to the server."""


@dataclass(frozen=True)
class Scene:
    """One kind of backfill and the claim that it makes."""

    name: str
    key: Key
    call: str
    """Arguments of `backfill`, after the table's name."""
    way: str
    """STRIPED, BLOCKS or KEYSET: what has to be chosen for it."""
    synchronised: bool = False
    """A trigger fills new and changed rows: nobody may leave one empty at any moment."""
    exactly_once: bool = False
    """No predicate tells done rows from others: only the checkpoint does."""
    partitioned: bool = False
    """By hash of the key's first column: rows that get another key may change the partition."""
    keyed: bool = True
    """False: the columns of the key have an index that is not unique."""
    rows: int = 12_000
    workers: tuple[int, ...] = ()
    """How many sessions may work, drawn anew for each process; empty: one."""

    def statements(self) -> str:
        """The tables and the rows that are there before."""
        columns = self.key.columns
        table = TABLE.format(
            key=self.key.definition,
            partition_by=f"PARTITION BY HASH ({columns.split(',')[0]})" if self.partitioned else "",
            key_or_index=f"ALTER TABLE items ADD PRIMARY KEY ({columns})"
            if self.keyed
            else f"CREATE INDEX ON items ({columns})",
        )
        partitions = PARTITIONS if self.partitioned else ""
        fill = (
            f"INSERT INTO items ({self.key.columns}, source, pad) "
            f"SELECT {self.key.seeded}, n, repeat('x', 60 + n % 60) FROM generate_series(1, {self.rows}) AS n;"
        )
        # The trigger comes after the rows: they are what it cannot have filled.
        return f"{table}{partitions}{fill}{FUNCTION}{SYNC if self.synchronised else ''}ANALYZE items;"

    def revision(self, origin: str = "from headway import backfill") -> str:
        """The body of `upgrade`; `origin` says whose backfill it is."""
        call = textwrap.dedent(self.call).strip()
        if not self.workers:
            return f"{origin}\nbackfill('items', {call})\n"
        return f"{origin}\n{AT_ONCE}backfill('items', {call}, workers=random.choice({self.workers}))\n"

    def wrong_rows(self, last_phase: int) -> dict[str, str]:
        """Queries that count rows which contradict the claim, by what they mean."""
        if self.exactly_once:
            return {
                "a row that was there was missed": "kind = 's' AND balance - 1000 * bumps < 1",
                "a row was changed twice": "balance - 1000 * bumps > 1",
            }
        right = f"target IS NOT DISTINCT FROM {TARGET}"
        if self.synchronised:
            return {"a row was missed or is stale": f"NOT ({right})"}
        # Whoever leaves the column empty while the last run ends may come after its last look.
        late = f"kind = 'o' AND phase >= {last_phase}"
        return {
            "a row was missed": f"target IS NULL AND NOT ({late})",
            "a row has a wrong value": f"target IS NOT NULL AND NOT ({right})",
            "a row was changed twice": "applied > 1",
            "a row was changed that was filled already": "kind = 'n' AND applied > 0",
            "a row is filled and was not changed": "kind <> 'n' AND target IS NOT NULL AND applied = 0",
        }


FILL = f'{{"target": "{TARGET}", "applied": "applied + 1"}}, where="target IS NULL", exactly_once=False'
SCENES = (
    Scene("striped-done-predicate", BIGINT, FILL, STRIPED),
    Scene(
        "striped-sync-trigger",
        BIGINT,
        '{"target": "right_target(source)"}, synced=True',
        BLOCKS,
        synchronised=True,
    ),
    Scene("striped-distinct", BIGINT, f'{{"target": "{TARGET}"}}, synced=True', STRIPED, synchronised=True),
    Scene("striped-partitions", COMPOSITE, FILL, STRIPED, partitioned=True),
    Scene("striped-without-key", BIGINT, FILL, STRIPED, keyed=False),
    Scene("keyset-bigint", BIGINT, f'{FILL}, strategy="keyset"', KEYSET),
    Scene("keyset-composite", COMPOSITE, f'{FILL}, strategy="keyset"', KEYSET),
    Scene("keyset-uuid", UUID, f'{FILL}, strategy="keyset"', KEYSET),
    Scene("exactly-once", LATER, '{"balance": "balance + 1"}', KEYSET, exactly_once=True),
    Scene("lanes-striped", BIGINT, FILL, STRIPED, rows=30_000, workers=(1, 3)),
    Scene("lanes-keyset", COMPOSITE, f'{FILL}, strategy="keyset"', KEYSET, rows=30_000, workers=(1, 3)),
    Scene(
        "lanes-exactly-once",
        LATER,
        '{"balance": "balance + 1"}',
        KEYSET,
        exactly_once=True,
        rows=30_000,
        workers=(1, 4),
    ),
)
BY_NAME = {scene.name: scene for scene in SCENES}
