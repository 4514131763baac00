"""The recommended form of the example under plain Alembic: to head, and back, on both usual drivers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from psycopg.errors import UniqueViolation

from support.command_line import Headway
from support.postgres import Database
from support.scripts import apply

SHOP = Path(__file__).parents[2] / "examples" / "shop"
USERS = 12_000
HEADS = {"main": "backfill_payments", "analytics": "index_events", "audit": "add_audit_details"}
INDEXES = {"main": "idx_orders_customer_date", "analytics": "idx_events_created"}


@dataclass(frozen=True)
class Section:
    """One section of the project's alembic.ini, on a database of the test."""

    name: str
    database: Database
    driver: str = "psycopg"

    def run(self, *command: str, environment: str = "production") -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=SHOP,
            env={**os.environ, "DATABASE_URL": self.database.url(self.driver), "ENVIRONMENT": environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def alembic(self, *arguments: str, environment: str = "production") -> str:
        return self.run("-m", "alembic", "-n", self.name, *arguments, environment=environment)

    def version(self) -> object:
        return self.database.scalar(f"SELECT string_agg(version_num, ' ') FROM alembic_version_{self.name}")

    def index_is_valid(self) -> object:
        return self.database.scalar(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEXES[self.name]]
        )


@pytest.fixture(params=["psycopg", "psycopg2"])
def driver(request):
    return request.param


@pytest.fixture
def main(database):
    return Section("main", database)


@pytest.fixture(scope="module")
def seeded(postgres_server):
    """A shop as it was years ago: the first revision, and users who have not been asked for a status."""
    section = Section("main", postgres_server.make_database("seeded"))
    section.alembic("upgrade", "create_shop")
    section.run("seed.py", "--users", str(USERS))
    yield section.database
    postgres_server.drop(section.database)


@pytest.fixture
def old_shop(make_database, seeded):
    return Section("main", make_database("old_shop", template=seeded))


@pytest.mark.parametrize("name", HEADS)
def test_each_database_reaches_its_own_head_and_equals_its_models(database, driver, name):
    section = Section(name, database, driver)
    section.alembic("upgrade", f"{name}@head")
    assert section.version() == HEADS[name]
    assert "No new upgrade operations detected" in section.alembic("check")


@pytest.mark.parametrize("name", HEADS)
def test_each_database_goes_back_to_nothing(database, name):
    section = Section(name, database)
    section.alembic("upgrade", "head")
    section.alembic("downgrade", "base")
    # The notes of where its backfills stood belong to no revision.
    notes = {"headway_backfill"} if name == "main" else set()
    assert database.tables() == {f"alembic_version_{name}"} | notes


def test_a_database_that_goes_back_and_forth_is_filled_again(old_shop):
    old_shop.alembic("upgrade", "require_user_status")
    old_shop.alembic("downgrade", "create_shop")
    old_shop.alembic("upgrade", "require_user_status")
    assert old_shop.database.scalar("SELECT count(*) FROM users WHERE status IS NULL") == 0


@pytest.mark.parametrize(("up", "down"), [("production", "development"), ("development", "production")])
def test_the_analytics_index_is_the_same_in_every_environment_and_goes_in_every_other(database, up, down):
    section = Section("analytics", database)
    section.alembic("upgrade", "head", environment=up)
    definition = database.scalar("SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_events_created'")
    assert definition == "CREATE INDEX idx_events_created ON public.events USING btree (created_at DESC)"
    section.alembic("downgrade", "create_events", environment=down)
    assert section.index_is_valid() is None


def test_every_user_gets_the_status_and_the_name_that_belong_to_him(old_shop, driver):
    Section("main", old_shop.database, driver).alembic("upgrade", "head")
    counts = old_shop.database.rows("SELECT is_active, status, count(*) FROM users GROUP BY 1, 2 ORDER BY 1")
    assert counts == [(False, "inactive", USERS // 10), (True, "active", USERS * 9 // 10)]
    assert old_shop.database.scalar("SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM name") == 0
    assert old_shop.version() == HEADS["main"]
    assert old_shop.index_is_valid() is True


def test_a_backfill_that_was_interrupted_goes_on_where_it_stopped(old_shop):
    old_shop.alembic("upgrade", "add_user_status")
    old_shop.database.execute("UPDATE users SET status = 'kept' WHERE id <= 7000")
    old_shop.alembic("upgrade", "backfill_user_status")
    rows = old_shop.database.rows("SELECT status = 'kept', count(*) FROM users GROUP BY 1 ORDER BY 1")
    assert rows == [(False, USERS - 7000), (True, 7000)]


def test_users_who_come_during_the_backfill_have_a_status(old_shop):
    old_shop.alembic("upgrade", "add_user_status")
    old_shop.database.execute("INSERT INTO users (email, name) VALUES ('new@example.com', 'New')")
    old_shop.alembic("upgrade", "require_user_status")
    assert old_shop.database.scalar("SELECT status FROM users WHERE email = 'new@example.com'") == "active"


def leave_invalid_index(section: Section, table: str, column: str) -> None:
    """What an interruption leaves, made by a duplicate: an index of that name which is not valid."""
    with pytest.raises(UniqueViolation):
        section.database.execute(
            f"CREATE UNIQUE INDEX CONCURRENTLY {INDEXES[section.name]} ON {table} ({column})"
        )
    assert section.index_is_valid() is False


def test_an_index_on_orders_that_was_left_invalid_is_built_again(old_shop):
    old_shop.alembic("upgrade", "require_user_status")
    leave_invalid_index(old_shop, "orders", "status")
    old_shop.alembic("upgrade", "index_orders")
    assert old_shop.index_is_valid() is True


def test_an_index_on_events_that_was_left_invalid_is_built_again(database):
    analytics = Section("analytics", database)
    analytics.alembic("upgrade", "create_events")
    database.execute("INSERT INTO events (event_type) VALUES ('view'), ('view')")
    leave_invalid_index(analytics, "events", "event_type")
    analytics.alembic("upgrade", "head")
    assert analytics.index_is_valid() is True


@pytest.fixture(scope="module")
def expanded(postgres_server):
    section = Section("main", postgres_server.make_database("expanded"))
    section.alembic("upgrade", "expand_user_name")
    yield section.database
    postgres_server.drop(section.database)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO users (email, name) VALUES ('x', 'Old')", "Old"),
        ("INSERT INTO users (email, full_name) VALUES ('x', 'New')", "New"),
        ("INSERT INTO users (email, name) VALUES ('x', 'Old'); UPDATE users SET name = 'Later'", "Later"),
        (
            "INSERT INTO users (email, name) VALUES ('x', 'Old'); UPDATE users SET full_name = 'Later'",
            "Later",
        ),
        (
            "INSERT INTO users (email, name) VALUES ('x', 'Old'); UPDATE users SET name = 'a', full_name = 'b'",
            "b",
        ),
    ],
)
def test_both_names_stay_equal_whether_old_or_new_code_writes(make_database, expanded, statement, expected):
    database = make_database("written", template=expanded)
    database.execute(statement)
    assert database.rows("SELECT name, full_name FROM users") == [(expected, expected)]


@pytest.mark.parametrize("column", ["name", "full_name"])
def test_a_rename_that_is_taken_back_and_done_again_keeps_what_was_written_under_either_name(
    old_shop, column
):
    old_shop.alembic("upgrade", "expand_user_name")
    old_shop.database.execute(f"UPDATE users SET {column} = 'Changed' WHERE id = 42")
    old_shop.alembic("downgrade", "merge_payments")
    assert old_shop.database.scalar("SELECT name FROM users WHERE id = 42") == "Changed"
    old_shop.database.execute("INSERT INTO users (email, name) VALUES ('new@example.com', 'New')")
    old_shop.alembic("upgrade", "expand_user_name")
    changed = "SELECT name, full_name FROM users WHERE id = 42 OR email = 'new@example.com' ORDER BY id"
    assert old_shop.database.rows(changed) == [("Changed", "Changed"), ("New", "New")]


def test_each_order_that_was_not_cancelled_has_one_payment_of_its_price_also_after_a_rerun(old_shop):
    old_shop.alembic("upgrade", "expand_user_name")
    old_shop.database.execute("INSERT INTO payments (order_id, amount_cents) SELECT max(id), 1 FROM orders")
    old_shop.alembic("upgrade", "backfill_payments")
    old_shop.alembic("downgrade", "expand_user_name")
    old_shop.alembic("upgrade", "backfill_payments")
    open_orders = old_shop.database.scalar("SELECT count(*) FROM orders WHERE status <> 'cancelled'")
    assert old_shop.database.rows("SELECT count(*), count(DISTINCT order_id) FROM payments") == [
        (open_orders, open_orders)
    ]
    wrong = """
        SELECT orders.id FROM payments JOIN orders ON orders.id = order_id JOIN products ON products.id = product_id
        WHERE amount_cents <> price_cents OR orders.status = 'cancelled'
    """
    assert old_shop.database.rows(wrong) == [(USERS // 2,)], "the one that the application has written"


@pytest.mark.parametrize(
    ("name", "target"), [("main", "expand_user_name"), ("analytics", "head"), ("audit", "head")]
)
def test_what_is_no_loop_written_by_hand_is_a_script_that_leads_to_the_same_revision(database, name, target):
    section = Section(name, database)
    apply(database, section.alembic("upgrade", target, "--sql"))
    assert section.version() == (HEADS[name] if target == "head" else target)


def test_the_lint_finds_nothing_in_it(tmp_path):
    run = Headway(tmp_path, "lint", str(SHOP), "--level", "warning")
    assert run.wait() == 0, run.out + run.err


def test_below_the_merge_both_branches_are_heads_again(main):
    main.alembic("upgrade", "merge_payments")
    main.alembic("downgrade", "index_orders")
    assert set(str(main.version()).split()) == {"index_orders", "add_payment_methods"}


def test_one_apply_of_the_folder_brings_every_secret_before_the_resource_that_needs_it():
    files = sorted(path for path in SHOP.iterdir() if path.suffix in {".yaml", ".yml", ".json"})
    documents = [document for path in files for document in yaml.safe_load_all(path.read_text())]
    assert [document["kind"] for document in documents] == ["Secret", "Secret", "Secret", "DatabaseMigration"]
    given = {(secret["metadata"]["name"], key) for secret in documents[:3] for key in secret["stringData"]}
    sources = [database["urlFrom"]["secretKeyRef"] for database in documents[3]["spec"]["databases"]]
    assert {(source["name"], source["key"]) for source in sources} == given
