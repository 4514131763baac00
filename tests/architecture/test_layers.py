"""The contracts about imports hold, and a breach of each would be reported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from support.tree import ROOT

CONTRACTS = {
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
THE_PURE_CORE = "The pure core does no I/O and reads no clock"
PURE = {
    "headway_contract": "headway_contract/control.py",
    "headway_operator.api": "headway_operator/api/identity.py",
    "headway_operator.lint": "headway_operator/lint/tree.py",
    "headway_operator.planner": "headway_operator/planner/retries.py",
    "headway_operator.manifests": "headway_operator/manifests/job.py",
}
"""Each package of the pure core, with a file of it in which it is breached."""
IMPURE = (
    *(
        "asyncio",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
    ),
    *("time", "urllib", "uuid", "aiohttp", "kopf", "kubernetes"),
)
BREACHES = (
    (
        "Parts that run in different places meet only in the contract",
        "headway_operator/api/labels.py",
        "import headway_runner.processes.task",
    ),
    (
        "The contract and the users' library know none of our other parts",
        "headway_contract/exit_codes.py",
        "import aiohttp",
    ),
    (
        "The users' library does not know the wire format",
        "headway/__init__.py",
        "import headway_contract.control",
    ),
    (
        "What runs in the user's image needs only the standard library, alembic and sqlalchemy",
        "headway_runner/processes/task.py",
        "import yaml",
    ),
    (
        "Operator: decisions below, the outside world above",
        "headway_operator/planner/gates.py",
        "import headway_operator.cluster.interface",
    ),
    (
        "Runner: what is asked for above, what people read below",
        "headway_runner/words/titles.py",
        "import headway_runner.connections.dbapi",
    ),
    (THE_PURE_CORE, "headway_operator/planner/retries.py", "import random"),
    ("kopf is imported in one file", "headway_operator/controller/queue.py", "import kopf"),
    ("The parser of SQL is imported in one file", "headway_operator/lint/tree.py", "import postgast"),
    (
        "Lint rules are unaware of each other",
        "headway_operator/lint/rules/column_is_dropped.py",
        "import headway_operator.lint.rules.column_is_renamed",
    ),
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the configuration and the packages of this folder."""
    environment = {**os.environ, "COLUMNS": "400", "PYTHONPATH": str(folder / "operator")}
    program = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def copy_to(folder: Path) -> Path:
    shutil.copytree(ROOT / "operator", folder / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def report_of(folder: Path, lines: Iterable[tuple[str, str]]) -> str:
    """All breaches in one copy: one run of the linter tells of each."""
    copy_to(folder)
    for path, line in lines:
        file = folder / "operator" / path
        file.write_text(f"{file.read_text()}\n{line}\n")
    return lint(folder).stdout


@pytest.fixture(scope="module")
def report_of_all_breaches(tmp_path_factory) -> str:
    """One breach of each contract."""
    return report_of(tmp_path_factory.mktemp("breached"), [(path, line) for _, path, line in BREACHES])


@pytest.fixture(scope="module")
def report_of_an_impure_core(tmp_path_factory) -> str:
    """Each package of the pure core imports everything that it may not."""
    lines = [(path, f"import {module}") for path in PURE.values() for module in IMPURE]
    return report_of(tmp_path_factory.mktemp("impure"), lines)


def test_the_contracts_are_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_each_contract_has_its_breach():
    assert {name for name, _, _ in BREACHES} == CONTRACTS


@pytest.mark.parametrize(("contract", "path", "line"), BREACHES, ids=[name for name, _, _ in BREACHES])
def test_a_breach_is_reported(report_of_all_breaches, contract, path, line):
    importer = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"{contract} BROKEN" in report_of_all_breaches
    assert f"{importer} -> {line.removeprefix('import ')}" in report_of_all_breaches


@pytest.mark.parametrize("package", PURE)
def test_no_package_of_the_pure_core_may_do_io_or_read_a_clock(report_of_an_impure_core, package):
    """By name: what one imports is also told of those that import it."""
    told = report_of_an_impure_core
    assert f"{THE_PURE_CORE} BROKEN" in told
    assert [one for one in IMPURE if f"{package} is not allowed to import {one}:" not in told] == []


def test_a_folder_that_no_layer_lists_is_reported(tmp_path):
    folder = copy_to(tmp_path)
    stray = folder / "operator" / "headway_operator" / "helpers"
    stray.mkdir()
    (stray / "__init__.py").touch()
    done = lint(folder)
    assert done.returncode == 1
    assert "headway_operator.helpers" in done.stdout
