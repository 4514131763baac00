"""From a resource to databases at head, with the real operator, runner, API server and PostgreSQL."""

from support.fix_postgres import MakeDatabase
from support.operator_process import OperatorProcess
from support.projects import Project
from support.resources import Resources, a_database


def test_three_databases_go_to_head_in_their_order(
    operator: OperatorProcess, shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    project.tables("users", "orders")
    databases = {name: make_database(name) for name in ("main", "analytics", "audit")}
    for name, database in databases.items():
        shop.secret(f"shop-{name}", uri=database.url())
    shop.create(
        "shop",
        [
            a_database("shop", "main"),
            a_database("shop", "analytics", dependsOn=["main"]),
            a_database("shop", "audit", dependsOn=["main", "analytics"]),
        ],
    )
    ready = shop.wait_for_condition("shop", "Ready")
    assert ready["reason"] == "Succeeded"
    for database in databases.values():
        assert {"users", "orders"} <= database.tables()
    jobs = [job["metadata"]["labels"]["headway.dev/database"] for job in shop.jobs()]
    assert jobs == ["main", "analytics", "audit"]
    starts = [shop.database("shop", name)["startTime"] for name in databases]
    assert starts == sorted(starts)
    assert not shop.get("shop")["metadata"].get("finalizers")
    assert "Succeeded" in shop.event_reasons()
