"""Failures before there is a project or a database: what the runner's process itself ends with."""

import os
import subprocess

import pytest

from headway_contract.failures import failure_class
from headway_contract.request import VARIABLE, Mode
from support.runner import PYTHON, RUNNER, database_request, request_for, start_runner

TWO_DATABASES = request_for(database_request("a"), database_request("b"), mode=Mode.MIGRATE).to_json()


@pytest.mark.parametrize("request_text", ["", "{", TWO_DATABASES], ids=["none", "no JSON", "two databases"])
def test_a_request_that_cannot_be_used_is_said_so(tmp_path, request_text):
    environment = {**os.environ, VARIABLE: request_text}
    ended = subprocess.run(
        [PYTHON, str(RUNNER)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    kind = failure_class("BadRequest")
    assert ended.returncode == kind.exit_code
    assert ended.stdout == ""
    assert f"BadRequest: {VARIABLE}" in ended.stderr
    assert ended.stderr.rstrip().endswith(f"{kind.meaning} {kind.next_step}")


def test_an_interpreter_without_alembic_is_named_with_what_to_do(tmp_path):
    run = start_runner(
        tmp_path, request_for(database_request()), {}, tmp_path / "run", command=("-S", str(RUNNER))
    ).finish()
    kind = failure_class("AlembicMissing")
    assert run.result.failure.name == "AlembicMissing"
    assert run.exit_code == kind.exit_code
    assert kind.next_step in run.stderr
