"""When the parent of a run can do without SQLAlchemy and Alembic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway_contract.drift_report import DriftWish
from headway_contract.planned import NOT_KNOWN, EnvFacts, Planned
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_runner.modes.light_parent import (
    REASONS,
    is_enough,
    it_is_followed_by_a_comparison,
    it_is_no_run,
    it_looks_first,
    it_takes_back,
    libpq_cannot_be_asked,
)

ASKABLE = EnvFacts(contexts=1, libpq=True)


def asked(env: EnvFacts = ASKABLE, mode: Mode = Mode.MIGRATE, downgrade: bool = False, command=()):
    planned = Planned("sha256:1", ((),), ("a1",), downgrade, env)
    return RunRequest(mode, "r", (DatabaseRequest("main", planned=planned),), command)


def why(request: RunRequest) -> list[str]:
    return [reason.__name__ for reason in REASONS if reason(request)]


@pytest.mark.parametrize("facts", [{}, {"one_transaction": True}, {"writes": True}, {"asynchronous": True}])
def test_a_run_that_was_planned_needs_neither_whatever_else_env_py_does(facts):
    assert is_enough(asked(EnvFacts(contexts=1, libpq=True, **facts)))


def test_each_reason_alone_is_enough():
    assert why(asked(mode=Mode.PLAN)) == ["it_is_no_run"]
    assert why(asked(EnvFacts(contexts=2, libpq=True))) == ["it_looks_first"]
    assert why(asked(command=("flask", "db", "upgrade"))) == ["it_looks_first"]
    assert why(asked(downgrade=True)) == ["it_takes_back"]
    compares = replace(asked(), drift=DriftWish())
    assert why(compares) == ["it_is_followed_by_a_comparison"]
    assert why(asked(EnvFacts(contexts=1))) == ["libpq_cannot_be_asked"]
    for request in (asked(mode=Mode.CHECK), asked(NOT_KNOWN), asked(downgrade=True)):
        assert not is_enough(request)


def test_without_a_plan_and_with_the_plan_of_an_older_runner_they_are_needed():
    assert not is_enough(RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),)))
    assert not is_enough(asked(NOT_KNOWN))
    assert not is_enough(RunRequest(Mode.PLAN, "r", ()))


def test_the_reasons_are_asked_in_this_order():
    assert (
        it_is_no_run,
        it_looks_first,
        it_takes_back,
        it_is_followed_by_a_comparison,
        libpq_cannot_be_asked,
    ) == REASONS
