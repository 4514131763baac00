"""The comparison after a run: in the result, within its time, and whatever becomes of it the run ended as it did."""

from __future__ import annotations

import os
import signal

import pytest

from headway_contract.drift_report import DriftReport, DriftWish
from headway_contract.exit_codes import ExitCode
from headway_contract.request import Mode, Part
from headway_contract.result import Outcome, Plan, RunResult
from headway_contract.wire import join_document
from support.projects import from_template
from support.runner import database_request, request_for, run_runner, start
from support.waiting import wait_until

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("status", sa.Integer))
"""
STATUS = "column users.status is in the models and not in the database"
LEGACY = "table legacy is in the database and not in the models"
WISH = DriftWish()


def with_models(project, models=MODELS):
    code = project.env.read_text()
    project.env.write_text(code.replace("target_metadata = None", f"{models}\ntarget_metadata = metadata"))
    return project


@pytest.fixture
def shop(tmp_path):
    """A project whose models have a column more than its one revision makes."""
    return with_models(from_template(tmp_path / "shop").tables("users"))


@pytest.fixture
def legacy(database):
    """A database with a table that no model has."""
    database.execute("CREATE TABLE legacy (id int)")
    return database


def asked(*databases, wish=WISH, **options):
    return request_for(*(databases or (database_request(),)), drift=wish, **options)


def run(project, database, **options):
    return run_runner(project, asked(**options), {"main": database.url()})


def counting_passes(project, folder, what):
    """env.py does this in the pass whose file is there; passes are counted from 1."""
    project.env.write_text(
        "import pathlib, time\n"
        f"_folder = pathlib.Path({str(folder)!r})\n"
        "_pass = len(list(_folder.glob('pass-*'))) + 1\n"
        "(_folder / f'pass-{_pass}').touch()\n"
        f"if (_folder / f'here-{{_pass}}').exists():\n    {what}\n" + project.env.read_text()
    )
    return project


HANGS = "while True: time.sleep(0.02)"


def test_a_run_is_followed_by_it_and_its_result_has_what_differs(shop, legacy):
    done = run(shop, legacy)
    assert (done.exit_code, done.result.outcome, done.result.applied) == (0, Outcome.SUCCEEDED, ("users",))
    assert (done.result.drift.count, done.result.drift.differences) == (2, (LEGACY, STATUS))
    assert done.kinds()[-3:] == ["Verified", "ComparisonStarted", "DatabaseReached"]
    assert f"main: {STATUS}" in done.stderr


def test_an_asynchronous_project_is_compared_too(tmp_path, legacy):
    project = with_models(from_template(tmp_path, "async").tables("users"))
    assert run(project, legacy).result.drift.differences == (LEGACY, STATUS)
    assert run(project, legacy).result.drift.count == 2


def test_a_run_with_nothing_to_do_is_followed_by_it_too(shop, legacy):
    first = run(shop, legacy)
    again = run(shop, legacy)
    assert again.result.applied_count == 0
    assert again.result.drift == first.result.drift
    assert "main: 2 differences between the database and the models" in again.stderr


def test_what_is_ignored_is_left_out(shop, legacy):
    done = run(shop, legacy, wish=DriftWish(("legacy", "add_column:users.*")))
    assert done.result.drift == DriftReport(count=0)


def test_nothing_is_compared_while_a_revision_waits_for_the_rollout(shop, legacy):
    shop.tables("orders", mark="post_deploy = True")
    done = run(shop, legacy, part=Part.BEFORE_DEPLOY)
    assert (done.result.post_deploy_count, done.result.drift) == (1, None)
    assert run(shop, legacy).result.drift.count == 3


def test_a_plan_compares_the_databases_in_which_nothing_is_left_to_do(shop, make_database):
    main, audit = make_database("main"), make_database("audit")
    assert run(shop, main).exit_code == 0
    request = asked(database_request("main"), database_request("audit"), mode=Mode.PLAN, tells_facts=True)
    planned = run_runner(shop, request, {"main": main.url(), "audit": audit.url()})
    first, second = planned.result.plan.databases
    assert (first.name, first.drift.differences) == ("main", (STATUS,))
    assert "main: 1 difference between the database and the models" in planned.stderr
    assert (second.name, second.drift, len(second.pending)) == ("audit", None, 1)
    assert second.facts is not None


def test_a_project_without_models_says_that_there_is_nothing_to_compare_with(tmp_path, database):
    done = run(from_template(tmp_path).tables("users"), database)
    assert (done.exit_code, done.result.outcome) == (0, Outcome.SUCCEEDED)
    assert done.result.drift == DriftReport(
        message="env.py gives no target_metadata, so there are no models to compare with."
    )


def test_a_comparison_that_fails_is_no_failure_of_the_run(shop, database, tmp_path):
    counting_passes(shop, tmp_path, "raise RuntimeError('the models are broken')")
    (tmp_path / "here-3").touch()
    done = run(shop, database)
    assert (done.exit_code, done.result.outcome, done.result.failure) == (0, Outcome.SUCCEEDED, None)
    assert done.result.drift.count is None
    assert "RuntimeError: the models are broken" in done.result.drift.message


@pytest.mark.parametrize("mode", [Mode.MIGRATE, Mode.PLAN])
def test_models_that_show_a_password_are_masked(tmp_path, database, mode):
    """Also in the document of a plan, whose digest would not fit any more if it were masked later."""
    word = "correct-horse-battery"
    models = MODELS + "".join(
        f'sa.Table("t{number}_{word}_{"x" * 200}", metadata, sa.Column("id", sa.Integer))\n'
        for number in range(20)
    )
    project = with_models(from_template(tmp_path).tables("users"), models)
    assert run(project, database, wish=None).exit_code == 0
    urls = {name: database.url() for name in (["main"] if mode is Mode.MIGRATE else ["main", "again"])}
    request = asked(*map(database_request, urls), mode=mode)
    done = run_runner(project, request, urls, SHOP_PASSWORD=word)
    report = done.result.drift
    if mode is Mode.PLAN:
        text = join_document(done.result.plan_sha256, done.stdout.splitlines())
        report = Plan.from_json(text).databases[1].drift
    assert report.count == 21
    assert word not in done.result.to_json() + done.stdout


def test_it_is_ended_when_its_time_is_over(shop, database, tmp_path):
    counting_passes(shop, tmp_path, HANGS)
    (tmp_path / "here-3").touch()
    done = run(shop, database, wish=DriftWish(seconds=1))
    assert (done.exit_code, done.result.outcome, done.result.applied) == (0, Outcome.SUCCEEDED, ("users",))
    assert done.result.drift.message.startswith("The comparison had not ended after 1 s")


@pytest.fixture
def hanging(shop, database, tmp_path):
    """A run that has succeeded, and whose comparison hangs."""
    counting_passes(shop, tmp_path, HANGS)
    (tmp_path / "here-3").touch()
    running = start(shop, asked(grace_seconds=600), {"main": database.url()})
    wait_until((tmp_path / "pass-3").exists, what="the comparison")
    return running


def test_a_wish_to_stop_ends_it_at_once_and_the_run_has_succeeded(hanging):
    hanging.terminate()
    done = hanging.finish()
    assert done.exit_code == ExitCode.SUCCEEDED, done.stderr
    assert (done.result.outcome, done.result.applied) == (Outcome.SUCCEEDED, ("users",))
    assert done.result.drift == DriftReport(message="The comparison was ended: the run was asked to stop.")


def test_the_result_of_the_run_is_written_before_it_begins(hanging):
    """As when the memory of the whole container is at its end."""
    os.kill(hanging.process.pid, signal.SIGKILL)
    hanging.process.wait()
    left = RunResult.from_json((hanging.folder / "termination").read_text())
    assert (left.outcome, left.applied, left.drift) == (Outcome.SUCCEEDED, ("users",), None)


def test_a_run_that_failed_is_not_followed_by_it(shop, database):
    shop.revision("broken", "op.execute('ALTER TABLE missing ADD x int')")
    done = run(shop, database)
    assert (done.result.failure.name, done.result.drift) == ("RevisionFailed", None)


OF_THE_COMPARISON = ["modes.after_run", "modes.check", "looks.differences"]


@pytest.mark.parametrize("wish", [None, WISH])
def test_nothing_of_it_is_loaded_where_nobody_asks(tmp_path, database, wish):
    project = from_template(tmp_path).tables("users")
    done = run_runner(project, asked(wish=wish), {"main": database.url()}, PYTHONPROFILEIMPORTTIME="1")
    assert "headway_runner.processes.supervisor" in done.stderr
    loaded = [name for name in OF_THE_COMPARISON if f"headway_runner.{name}" in done.stderr]
    assert loaded == ([] if wish is None else OF_THE_COMPARISON)
