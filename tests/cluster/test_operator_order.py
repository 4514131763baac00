"""Which databases run beside each other, and which wait: by the Jobs and pods that the API server tells of."""

from pathlib import Path
from typing import Any

import pytest

from support.fix_postgres import MakeDatabase
from support.gates import gates_of
from support.projects import Project
from support.resources import Resources, a_database

NAMES = ("main", "analytics", "audit", "more")


def migrated(shop: Resources) -> set[str]:
    """The databases that have a Job."""
    return {job["metadata"]["labels"]["headway.dev/database"] for job in shop.jobs()}


def times(shop: Resources, name: str) -> tuple[str, str]:
    """When its Job was made and when its pod ended, to the second; that the Job did is told a moment later."""
    (job,) = (one for one in shop.jobs() if one["metadata"]["labels"]["headway.dev/database"] == name)
    pod: dict[str, Any] = shop.pod_of(job["metadata"]["name"])
    (container,) = pod["status"]["containerStatuses"]
    return job["metadata"]["creationTimestamp"], container["state"]["terminated"]["finishedAt"]


@pytest.mark.usefixtures("operator")
def test_with_two_at_once_a_database_waits_for_the_one_it_depends_on_and_those_behind_it_go_before(
    shop: Resources, project: Project, make_database: MakeDatabase, tmp_path: Path
) -> None:
    databases = {name: make_database(name) for name in NAMES}
    gates = gates_of(tmp_path, project, "orders", databases)
    gates["analytics"].open()
    for name, database in databases.items():
        shop.secret(f"shop-{name}", uri=database.url())
    after = {"analytics": {"dependsOn": ["main"]}}
    entries = [a_database("shop", name, **after.get(name, {})) for name in NAMES]
    shop.create("shop", entries, strategy={"maxParallel": 2})

    gates["main"].wait_until_reached()
    gates["audit"].wait_until_reached()
    shop.wait_for_database("shop", "audit", "Migrating")
    assert migrated(shop) == {"main", "audit"}, "both places are taken"
    gates["audit"].open()
    shop.wait_for_database("shop", "audit", "Succeeded")
    gates["more"].wait_until_reached()
    assert migrated(shop) == {"main", "audit", "more"}
    gates["more"].open()
    # The look that tells this has also started what may start.
    shop.wait_for_database("shop", "more", "Succeeded")
    assert migrated(shop) == {"main", "audit", "more"}, "a place is free, and main is not at its end"
    assert shop.database("shop", "main")["phase"] == "Migrating"
    assert "startTime" not in shop.database("shop", "analytics"), shop.database("shop", "analytics")
    assert databases["analytics"].tables() == set()
    gates["main"].open()
    shop.wait_for_condition("shop", "Ready")

    spans = {name: times(shop, name) for name in NAMES}
    assert spans["analytics"][0] >= spans["main"][1]
    assert shop.database("shop", "analytics")["startTime"] >= shop.database("shop", "main")["completionTime"]
    for made, _ in spans.values():
        # Those that were there at the end of the second in which this one was made.
        beside = [name for name, (begin, end) in spans.items() if begin <= made < end]
        assert len(beside) <= 2, (made, spans)
    assert all("orders" in database.tables() for database in databases.values())
    assert [shop.attempts(name) for name in NAMES] == [["1"]] * 4
