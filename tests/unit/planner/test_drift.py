"""What differs from the models is told in the status, and changes nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.drift_report import DriftReport
from headway_contract.result import Plan
from headway_operator.api.migration import DriftSettings
from headway_operator.api.status import DatabasePhase, Status
from headway_operator.planner.drift import UNTOLD, drift_line
from headway_operator.planner.news import news
from headway_operator.planner.snapshot import JobState
from support.builders import a_migration, a_plan, a_result
from support.model import ModelCluster

ON = DriftSettings("AfterRun")
STATUS = "column users.status is in the models and not in the database"
FOUND = DriftReport(1, (STATUS,), "sha256:1")
OTHER = DriftReport(2, (STATUS, "table legacy is in the database and not in the models"), "sha256:2")
NOTHING = DriftReport(0)
FAILED = DriftReport(message="The comparison failed: no models.")


class Shop:
    """A resource of one database, run again and again; what each run is told to have found."""

    def __init__(self, **spec):
        self.cluster = ModelCluster(a_migration(**{"drift": ON, **spec}))
        self.events = []

    def look(self):
        old = self.cluster.status
        decision = self.cluster.reconcile()
        self.events += [
            one for one in news(old, self.cluster.status, 4, "shop") if one.reason == "DriftChanged"
        ]
        return decision

    def start(self):
        (start,) = self.look().starts
        self.cluster.start_pod(start.name)
        return start.name

    def migrates(self, report):
        """A run that applies something; ``report`` is in the result of its Job."""
        self.cluster.finish(self.start(), a_result(plan=a_plan(main=["a1"])))
        self.cluster.finish(self.start(), a_result(to_revision=("a1",), applied=("a1",), drift=report))
        self.look()
        return self.database

    def finds_nothing_to_do(self, report):
        """A run whose plan finds nothing pending; ``report`` is in the plan."""
        (one,) = a_plan(main=[]).databases
        self.cluster.finish(self.start(), a_result(plan=Plan((replace(one, drift=report),))))
        self.look()
        return self.database

    def again(self, **spec):
        revision = f"{self.cluster.resource.spec.revision}x"
        self.cluster.edit(revision=revision, **spec)
        return self

    @property
    def database(self):
        (found,) = self.cluster.status.databases
        return found


@pytest.mark.parametrize("way", [Shop.migrates, Shop.finds_nothing_to_do])
def test_what_was_found_stands_with_its_time_in_the_status_of_the_database(way):
    database = way(Shop(), FOUND)
    assert (database.drift.count, database.drift.differences) == (1, (STATUS,))
    assert database.drift.compared_time == database.completion_time


@pytest.mark.parametrize("report", [FOUND, NOTHING, FAILED, None])
@pytest.mark.parametrize("way", [Shop.migrates, Shop.finds_nothing_to_do])
def test_nothing_else_of_the_status_is_other_for_it(way, report):
    told, plain = Shop(), Shop(drift=DriftSettings())
    way(told, report)
    way(plain, None)
    assert told.database.phase is DatabasePhase.SUCCEEDED
    assert without_drift(told.cluster.status) == plain.cluster.status


def without_drift(status: Status) -> Status:
    return replace(status, databases=tuple(replace(one, drift=None) for one in status.databases))


@pytest.mark.parametrize("way", [Shop.migrates, Shop.finds_nothing_to_do])
def test_a_job_that_ended_before_it_had_compared_says_so(way):
    assert way(Shop(), None).drift.message == UNTOLD


def test_a_container_that_is_killed_in_it_has_succeeded_with_its_run():
    """The result of the run was written before that; the Job says that it failed."""
    shop = Shop()
    shop.cluster.finish(shop.start(), a_result(plan=a_plan(main=["a1"])))
    name = shop.start()
    shop.cluster.finish(name, a_result(to_revision=("a1",), applied=("a1",)))
    shop.cluster.jobs[name] = replace(shop.cluster.jobs[name], state=JobState.FAILED)
    shop.look()
    assert shop.database.phase is DatabasePhase.SUCCEEDED
    assert shop.database.drift.message == UNTOLD


def test_a_report_that_nobody_wishes_for_is_not_shown():
    assert Shop(drift=DriftSettings()).migrates(FOUND).drift is None


def test_a_run_that_begins_shows_what_the_one_before_found_until_it_has_compared_itself():
    shop = Shop()
    shop.migrates(FOUND)
    shop.again().start()
    assert shop.database.drift.count == 1


def test_turned_off_it_is_gone_with_the_next_run():
    shop = Shop()
    shop.migrates(FOUND)
    shop.again(drift=DriftSettings()).start()
    assert shop.database.drift is None


def test_an_event_tells_of_a_change_alone():
    shop = Shop()
    shop.migrates(FOUND)
    shop.again().finds_nothing_to_do(FOUND)
    shop.again().finds_nothing_to_do(OTHER)
    shop.again().migrates(NOTHING)
    shop.again().migrates(NOTHING)
    assert [one.message for one in shop.events] == [
        f"main: 1 difference between the database and the models: {STATUS}",
        f"main: 2 differences between the database and the models: {'; '.join(OTHER.differences)}",
        "main: no difference between the database and the models",
    ]
    assert not any(one.warning for one in shop.events)
    assert len({one.key for one in shop.events}) == 3


def test_a_first_comparison_that_finds_nothing_is_no_news():
    shop = Shop()
    shop.migrates(NOTHING)
    assert shop.events == []


def test_a_comparison_that_failed_is_told_in_its_place_and_does_not_make_news_of_what_was_known():
    shop = Shop()
    shop.migrates(FOUND)
    database = shop.again().finds_nothing_to_do(FAILED)
    assert (database.drift.count, database.drift.message) == (None, FAILED.message)
    shop.again().finds_nothing_to_do(FOUND)
    assert len(shop.events) == 1


def test_what_waits_behind_the_gate_is_compared_after_that_and_not_before():
    shop = Shop()
    shop.cluster.finish(shop.start(), a_result(plan=a_plan({"main": ["a2"]}, main=["a1"])))
    first = a_result(to_revision=("a1",), applied=("a1",), post_deploy_count=1)
    shop.cluster.finish(shop.start(), first)
    shop.cluster.heads["main"] = shop.cluster.resource.spec.image
    shop.look()
    assert shop.database.drift is None
    shop.cluster.finish(shop.start(), a_result(to_revision=("a2",), applied=("a2",), drift=FOUND))
    shop.look()
    assert shop.database.drift.count == 1


def test_the_line_tells_the_first_and_how_many_more_there_are():
    shop = Shop()
    many = DriftReport(5, ("a", "b", "c", "d"), "sha256:5", "One schema has no models.")
    assert drift_line(shop.migrates(many).drift) == (
        "5 differences between the database and the models (not all was compared: One schema has no models): "
        "a; b; c; and 2 more"
    )
