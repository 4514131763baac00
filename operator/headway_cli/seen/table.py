"""All resources of a namespace, or of all, as a table of plain columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headway_cli.seen.lines import age, beginning
from headway_operator.api.migration import Migration
from headway_operator.planner.explain import moment


def table_of(
    migrations: Sequence[tuple[Migration, str]], now: datetime, namespaces: bool, wide: bool
) -> list[str]:
    """Each with its creation time; ``namespaces``: a column for them."""
    head = [*(["NAMESPACE"] if namespaces else []), "NAME", "READY", "PHASE", "PROGRESS", "REVISION", "AGE"]
    rows = [head + (["MESSAGE"] if wide else [])]
    for migration, created in sorted(migrations, key=lambda one: (one[0].namespace, one[0].name)):
        rows.append([*([migration.namespace] if namespaces else []), *_cells(migration, created, now, wide)])
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(migration: Migration, created: str, now: datetime, wide: bool) -> list[str]:
    status = migration.status
    ready, born = status.condition("Ready"), moment(created)
    progress = status.progress.summary if status.progress is not None else ""
    revision = migration.spec.revision if migration.spec is not None else ""
    cells = [
        migration.name,
        ready.status if ready is not None else "Unknown",
        status.phase or "-",
        progress or "-",
        revision or "-",
        age(now - born) if born is not None else "-",
    ]
    message = ready.message if ready is not None else ""
    return cells + ([beginning(message)] if wide else [])
