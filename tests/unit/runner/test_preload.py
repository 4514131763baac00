"""When the parent of a run loads SQLAlchemy and Alembic for all of its passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.drift_report import DriftWish
from headway_contract.planned import NOT_KNOWN, EnvFacts, Planned
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_runner.modes.preload import (
    REASONS,
    env_may_configure_several_contexts,
    is_worth_it,
    it_compares_with_the_models,
    it_looks_at_several_databases,
    it_takes_back,
    libpq_cannot_be_asked,
    the_command_is_the_applications_own,
)

ASKABLE = EnvFacts(contexts=1, libpq=True)
MAIN, AUDIT = DatabaseRequest("main"), DatabaseRequest("audit")


def asked(env: EnvFacts = ASKABLE, mode: Mode = Mode.MIGRATE, downgrade: bool = False, command=()):
    planned = Planned("sha256:1", ((),), ("a1",), downgrade, env)
    return RunRequest(mode, "r", (DatabaseRequest("main", planned=planned),), command)


def why(request: RunRequest) -> list[str]:
    return [reason.__name__ for reason in REASONS if reason(request)]


@pytest.mark.parametrize("facts", [{}, {"one_transaction": True}, {"writes": True}, {"asynchronous": True}])
def test_for_a_run_that_was_planned_it_does_not_whatever_else_env_py_does(facts):
    assert not is_worth_it(asked(EnvFacts(contexts=1, libpq=True, **facts)))


def test_for_a_run_without_a_plan_and_for_the_plan_of_one_database_it_does_not():
    assert not is_worth_it(RunRequest(Mode.MIGRATE, "r", (MAIN,)))
    assert not is_worth_it(RunRequest(Mode.PLAN, "r", (MAIN,), tells_facts=True))
    assert not is_worth_it(RunRequest(Mode.PLAN, "r", ()))


def test_each_reason_alone_is_enough():
    assert why(RunRequest(Mode.CHECK, "r", (MAIN,))) == ["it_compares_with_the_models"]
    assert why(replace(asked(), drift=DriftWish())) == ["it_compares_with_the_models"]
    assert why(RunRequest(Mode.PLAN, "r", (MAIN, AUDIT))) == ["it_looks_at_several_databases"]
    assert why(asked(command=("flask", "db", "upgrade"))) == ["the_command_is_the_applications_own"]
    assert why(asked(downgrade=True)) == ["it_takes_back"]
    assert why(asked(EnvFacts(contexts=2, libpq=True))) == ["env_may_configure_several_contexts"]
    assert why(asked(EnvFacts(contexts=1))) == ["libpq_cannot_be_asked"]
    for request in (RunRequest(Mode.CHECK, "r", (MAIN,)), asked(downgrade=True), asked(NOT_KNOWN)):
        assert is_worth_it(request)


def test_the_reasons_are_asked_in_this_order():
    assert (
        it_compares_with_the_models,
        it_looks_at_several_databases,
        the_command_is_the_applications_own,
        it_takes_back,
        env_may_configure_several_contexts,
        libpq_cannot_be_asked,
    ) == REASONS
