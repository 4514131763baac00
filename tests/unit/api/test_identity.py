"""Names that are the same however often they are worked out, and differ where they must."""

from __future__ import annotations

import pytest

from headway_contract.request import WhenAhead
from headway_operator.api.identity import JOB_NAME_LIMIT, identity_of, job_name, new_run_id
from headway_operator.api.migration import Alembic, Database, JobSettings, Locks, Retry, Strategy
from support.builders import a_database, a_migration, a_spec

WHAT_RUNS = [
    {"image": "shop:2"},
    {"revision": "2026.12"},
    {"target": "abc"},
    {"command": ("flask", "db", "upgrade")},
    {"alembic": Alembic(section="other")},
    {"environment": "staging"},
    {"when_ahead": WhenAhead.FAIL},
    {"databases": (a_database("main", target="abc"),)},
    {"databases": (a_database("main"), a_database("audit"))},
    {"databases": (a_database("main", version_table="other"),)},
]
HOW_IT_RUNS = [
    {"locks": Locks(9, 9)},
    {"retry": Retry(9)},
    {"strategy": Strategy(3, "Continue")},
    {"suspend": True},
    {"statement_timeout_seconds": 7},
    {"active_deadline_seconds": 60},
    {"job": JobSettings(env=({"name": "A", "value": "b"},), service_account_name="x")},
    {"failed_runs_history_limit": 0},
    {"plan": a_spec(plan="Never").plan},
]


@pytest.mark.parametrize("change", WHAT_RUNS, ids=str)
def test_a_change_of_what_runs_changes_the_identity(change):
    assert identity_of(a_spec(**change), "") != identity_of(a_spec(), "")


@pytest.mark.parametrize("change", HOW_IT_RUNS, ids=lambda change: next(iter(change)))
def test_a_change_of_how_it_runs_does_not(change):
    names = {"strategy", "plan"} & set(change)
    plain = a_spec(**{key: value for key, value in change.items() if key not in names})
    assert identity_of(plain, "") == identity_of(a_spec(), "")


def test_the_order_of_databases_and_what_they_wait_for_is_no_part_of_it():
    there = a_spec("main", a_database("audit", after=["main"]))
    assert identity_of(there, "") == identity_of(a_spec("audit", "main"), "")


def test_the_environment_is_the_source_of_a_database_that_has_no_other():
    job = JobSettings(env=({"name": "DATABASE_URL", "value": "elsewhere"},))
    bare = Database("main")
    assert identity_of(a_spec(bare, job=job), "") != identity_of(a_spec(bare), "")


def test_a_retry_token_changes_it():
    assert identity_of(a_spec(), "1") != identity_of(a_spec(), "")


def test_a_run_is_told_from_every_other_by_resource_generation_wish_and_predecessor():
    ids = {
        new_run_id(a_migration(), "a", ""),
        new_run_id(a_migration(generation=2), "a", ""),
        new_run_id(a_migration(), "b", ""),
        new_run_id(a_migration(), "a", "before"),
    }
    assert len(ids) == 4
    assert new_run_id(a_migration(), "a", "") in ids


def test_a_job_name_is_readable():
    assert job_name("shop", "u", "3f9c2e01", "main", "Migrate", 1) == "shop-main-3f9c2e01-1"
    assert job_name("shop", "u", "3f9c2e01", "", "Plan", 2) == "shop-plan-3f9c2e01-2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("shop", "plan"), ("shop", "")),
        (("shop", "migrate"), ("shop", "")),
        (("shop.v1", "main"), ("shop-v1", "main")),
        (("a" * 60, "main"), ("a" * 60, "audit")),
        (("a" * 60, "main"), ("a" * 61, "main")),
    ],
)
def test_job_names_are_distinct_and_short_enough(one, other):
    names = [job_name(name, "u", "3f9c2e01", database, "Plan", 12) for name, database in (one, other)]
    assert names[0] != names[1]
    for name in names:
        assert len(name) <= JOB_NAME_LIMIT
        assert name.replace("-", "").isalnum()
        assert name == name.lower()
