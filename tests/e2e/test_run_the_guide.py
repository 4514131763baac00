"""The guide's project, letter by letter, under Headway: what plain Alembic loses on it is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.command_line import Headway

GUIDE = Path(__file__).parents[2] / "examples" / "shop" / "guide"
NAMES = ("main", "analytics", "audit")
USERS = 2500


@pytest.fixture(params=["psycopg2", "psycopg"])
def shop(request, make_database, tmp_path):
    """The project beside its resource, which names three databases of the test by one driver."""
    databases = {name: make_database(f"guide_{name}") for name in NAMES}
    shutil.copytree(GUIDE, tmp_path / "guide")
    text = (GUIDE / "migration.yaml").read_text()
    for name, database in databases.items():
        written = f"postgresql+psycopg2://shop:only-for-local-use@localhost:5432/{name}"
        assert written in text
        text = text.replace(written, database.url(request.param))
    (tmp_path / "head.yaml").write_text(text)
    (tmp_path / "start.yaml").write_text(text.replace("target: main@head", "target: shop001"))
    return tmp_path, databases


def test_the_guide_s_project_goes_to_its_heads_and_loses_nothing(shop):
    folder, databases = shop
    first = Headway(folder, "run", "-f", "start.yaml", "--project", str(folder))
    assert first.wait() == 0, first.out + first.err
    databases["main"].execute(
        "INSERT INTO users (id, name, is_active)"
        f" SELECT n, 'User ' || n, n % 10 <> 0 FROM generate_series(1, {USERS}) AS n"
    )

    second = Headway(folder, "run", "-f", "head.yaml", "--project", str(folder))
    assert second.wait() == 0, second.out + second.err

    versions = databases["main"].rows("SELECT version_num FROM alembic_version_default")
    assert versions == [("rename_phase1",)]
    filled = "SELECT count(*) FROM users WHERE status = CASE WHEN is_active THEN 'active' ELSE 'inactive' END"
    assert databases["main"].scalar(filled) == USERS
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = '{}'::regclass"
    assert databases["main"].scalar(valid.format("idx_orders_customer_date"))
    assert databases["analytics"].scalar(valid.format("idx_events_timestamp"))
    assert "audit_log" in databases["audit"].tables()
    assert "idx_events_timestamp" not in databases["main"].tables()
