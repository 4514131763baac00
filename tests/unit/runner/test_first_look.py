"""When a run needs a look of its own before it."""

from __future__ import annotations

import pytest

from headway_contract.planned import NOT_KNOWN, EnvFacts, Planned
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_runner.looks.first_look import (
    REASONS,
    env_may_configure_several_contexts,
    is_needed,
    nothing_was_planned,
    the_command_is_the_applications_own,
)

ONE_CONTEXT = EnvFacts(contexts=1)


def asked(env: EnvFacts = ONE_CONTEXT, command: tuple[str, ...] = (), target: str = "heads"):
    planned = Planned("sha256:1", ((),), ("a1",), env=env)
    return RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main", target, planned=planned),), command)


def why(request: RunRequest) -> list[str]:
    return [reason.__name__ for reason in REASONS if reason(request)]


@pytest.mark.parametrize("target", ["heads", "head", "shop@head", "a1", "+2"])
@pytest.mark.parametrize("facts", [{}, {"one_transaction": True}, {"writes": True}, {"asynchronous": True}])
def test_what_was_planned_of_one_context_needs_none_whatever_else_env_py_does(target, facts):
    assert not is_needed(asked(EnvFacts(contexts=1, **facts), target=target))


def test_each_reason_alone_is_enough():
    assert why(RunRequest(Mode.MIGRATE, "r", (DatabaseRequest("main"),))) == ["nothing_was_planned"]
    assert why(asked(command=("flask", "db", "upgrade"))) == ["the_command_is_the_applications_own"]
    for env in (NOT_KNOWN, EnvFacts(contexts=2)):
        assert why(asked(env)) == ["env_may_configure_several_contexts"]
        assert is_needed(asked(env))


def test_the_reasons_are_asked_in_this_order():
    assert (
        nothing_was_planned,
        the_command_is_the_applications_own,
        env_may_configure_several_contexts,
    ) == REASONS
