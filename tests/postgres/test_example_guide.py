"""The guide's project under plain Alembic: what its patterns do there, so that we know what Headway must better."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.postgres import Database

SHOP = Path(__file__).parents[2] / "examples" / "shop"
MAIN_BRANCH = {"settings", "users", "orders", "payment_methods"}


@dataclass(frozen=True)
class Guide:
    """The guide's project over three databases of the test, by one driver."""

    driver: str
    main: Database
    analytics: Database
    audit: Database

    def alembic(self, *arguments: str, environment: str = "") -> subprocess.CompletedProcess[str]:
        urls = {
            f"{name.upper()}_URL": getattr(self, name).url(self.driver)
            for name in ("main", "analytics", "audit")
        }
        return subprocess.run(
            [sys.executable, "-m", "alembic", "-c", "guide/alembic.ini", *arguments],
            cwd=SHOP,
            env={**os.environ, **urls, "ENVIRONMENT": environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def version(self) -> list[str]:
        return sorted(row[0] for row in self.main.rows("SELECT version_num FROM alembic_version_default"))

    def with_users(self) -> None:
        assert self.alembic("upgrade", "shop001").returncode == 0
        self.main.execute(
            "INSERT INTO users (id, name, is_active)"
            " SELECT n, 'User ' || n, n % 10 <> 0 FROM generate_series(1, 2500) AS n"
        )


@pytest.fixture(params=["psycopg2", "psycopg"])
def guide(request, make_database):
    return Guide(request.param, *(make_database(f"guide_{name}") for name in ("main", "analytics", "audit")))


@pytest.fixture
def psycopg2_guide(make_database):
    return Guide("psycopg2", *(make_database(f"guide_{name}") for name in ("main", "analytics", "audit")))


def test_every_database_has_its_version_table_but_each_gets_every_branch(psycopg2_guide):
    done = psycopg2_guide.alembic("upgrade", "analytics@head")
    assert done.returncode == 0, done.stderr
    for name, table in (("main", "default"), ("analytics", "analytics"), ("audit", "audit")):
        tables = getattr(psycopg2_guide, name).tables()
        assert tables == {f"alembic_version_{table}", "settings", "events"}


def test_the_callback_is_called_once_the_signature_is_alembics(psycopg2_guide):
    done = psycopg2_guide.alembic("upgrade", "audit@head")
    assert done.stdout.splitlines() == ["Completed migration: xyz789", "Completed migration: aud001"] * 3


def test_the_commit_in_the_batches_loses_the_version_row_while_alembic_reports_success(guide):
    guide.with_users()
    done = guide.alembic("upgrade", "def456")
    assert (done.returncode, "Backfilled 2500 rows" in done.stdout) == (0, True)
    assert guide.main.scalar("SELECT count(*) FROM users WHERE status IS NULL") == 0
    assert guide.version() == ["shop001"]
    again = guide.alembic("upgrade", "def456")
    assert "already exists" in again.stderr


def test_on_psycopg2_the_main_branch_of_an_empty_shop_reaches_its_head(psycopg2_guide):
    done = psycopg2_guide.alembic("upgrade", "main@head")
    assert done.returncode == 0, done.stderr
    assert psycopg2_guide.version() == ["rename_phase1"]
    assert psycopg2_guide.main.tables() >= MAIN_BRANCH
    assert psycopg2_guide.main.scalar(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_orders_customer_date'::regclass"
    )


def test_on_psycopg_3_a_commit_statement_does_not_make_room_for_concurrently(make_database):
    guide = Guide("psycopg", *(make_database(f"guide_{name}") for name in ("main", "analytics", "audit")))
    done = guide.alembic("upgrade", "idx123")
    assert done.returncode != 0
    assert "cannot run inside a transaction block" in done.stderr
    assert guide.main.tables() >= MAIN_BRANCH, "what went before was committed all the same"


def test_nothing_goes_back_past_the_merge(psycopg2_guide):
    assert psycopg2_guide.alembic("upgrade", "merge_abc").returncode == 0
    done = psycopg2_guide.alembic("downgrade", "shop001")
    assert "Cannot downgrade past merge point" in done.stderr
    assert psycopg2_guide.version() == ["merge_abc"]


def test_the_one_way_trigger_drifts_when_old_code_updates(psycopg2_guide):
    assert psycopg2_guide.alembic("upgrade", "main@head").returncode == 0
    main = psycopg2_guide.main
    main.execute("INSERT INTO users (id, name) VALUES (1, 'Ada')")
    main.execute("UPDATE users SET name = 'Ada Lovelace'")
    assert main.rows("SELECT name, full_name FROM users") == [("Ada Lovelace", "Ada")]


@pytest.mark.parametrize("environment", ["production", "development"])
def test_the_environment_decides_how_the_analytics_index_is_made(psycopg2_guide, environment):
    done = psycopg2_guide.alembic("upgrade", "analytics@head", environment=environment)
    assert done.returncode == 0, done.stderr
    definition = psycopg2_guide.analytics.scalar(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_events_timestamp'"
    )
    assert definition.endswith("(created_at DESC)") == (environment == "production")
