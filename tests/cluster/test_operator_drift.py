"""The comparison after a run, on the real API server and PostgreSQL: in the status, and in the way of nothing."""

from __future__ import annotations

from pathlib import Path

from support.operator_process import OperatorProcess
from support.postgres import Database
from support.projects import Project
from support.resources import Resources
from support.waiting import wait_until

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("status", sa.Integer))
target_metadata = metadata
"""
STATUS = "column users.status is in the models and not in the database"
ON = {"report": "AfterRun", "ignore": ["legacy_*"]}


def with_models(project: Project) -> Project:
    project.env.write_text(project.env.read_text().replace("target_metadata = None", MODELS))
    return project.tables("users")


def test_what_differs_is_in_the_status_after_a_run_and_after_one_with_nothing_to_do(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    with_models(project)
    database.execute("CREATE TABLE legacy_orders (id int)")
    shop.create("shop", {"main": database.url()}, drift=ON)
    shop.wait_for_condition("shop", "Ready")
    first = shop.database("shop", "main")["drift"]
    assert (first["count"], first["differences"]) == (1, [STATUS])
    assert shop.condition("shop", "Succeeded")["status"] == "True"
    shop.wait_for_event("DriftChanged")

    database.execute("ALTER TABLE users ADD status int")
    shop.annotate("shop", retry="1")
    again = wait_for_count(shop, 0)
    assert again["comparedTime"] >= first["comparedTime"]
    assert len(shop.jobs()) == 1
    assert shop.event_reasons().count("DriftChanged") == 2
    assert "Notice" not in shop.event_reasons(), "that it compares is no news"


def wait_for_count(shop: Resources, count: int) -> dict:
    return wait_until(
        lambda: (found := shop.database("shop", "main").get("drift", {})).get("count") == count and found,
        what=f"{count} differences in the status",
    )


def test_a_project_without_models_is_told_so_and_is_ready(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()}, drift=ON)
    shop.wait_for_condition("shop", "Ready")
    told = shop.database("shop", "main")["drift"]
    assert "count" not in told
    assert told["message"] == "env.py gives no target_metadata, so there are no models to compare with."
    assert "DriftChanged" not in shop.event_reasons()


def test_left_out_nothing_is_compared(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database
) -> None:
    with_models(project)
    shop.create("shop", {"main": database.url()})
    shop.wait_for_condition("shop", "Ready")
    assert "drift" not in shop.database("shop", "main")


def test_a_new_release_ends_a_comparison_that_hangs_and_its_job_has_succeeded(
    operator: OperatorProcess, shop: Resources, project: Project, database: Database, tmp_path: Path
) -> None:
    """The third pass through env.py: plan, run, comparison; the last look goes without."""
    with_models(project)
    passes, hangs = tmp_path / "passes", tmp_path / "hangs"
    hangs.touch()
    project.env.write_text(
        "import pathlib, time\n"
        f"passes, hangs = pathlib.Path({str(passes)!r}), pathlib.Path({str(hangs)!r})\n"
        "with passes.open('a') as file:\n    file.write('x')\n"
        "while passes.read_text() == 'xxx' and hangs.exists(): time.sleep(0.02)\n" + project.env.read_text()
    )
    shop.create("shop", {"main": database.url()}, drift=ON)
    wait_until(lambda: passes.exists() and passes.read_text() == "xxx", what="the comparison")
    wait_until(
        lambda: shop.database("shop", "main").get("message") == "compares the database with the models",
        what="the comparison in the status",
    )
    shop.change("shop", revision="2")
    shop.wait_for_condition("shop", "Ready", reason="NothingToDo")
    wait_until(
        lambda: [job["status"].get("succeeded") for job in shop.jobs()] == [1], what="its Job's success"
    )
    assert hangs.exists()
    assert shop.database("shop", "main")["drift"]["count"] == 1
